import { parentPort } from "node:worker_threads";
import { chunkOf, planRun } from "../plan.js";
import type { PlannedSpec } from "../spec.js";
import { type AnswerKey, ChunkGenerator } from "./generator.js";

/**
 * The thread that generates rows, so that the main thread's event loop stays free for heartbeats. It fills the buffers it is
 * sent and sends them back; how many are on the way is the main thread's choice, which bounds memory.
 */

export type ToThread =
  | { readonly kind: "begin"; readonly job: number; readonly spec: PlannedSpec; readonly chunkNo: number }
  | { readonly kind: "buffer"; readonly job: number; readonly buffer: ArrayBuffer };

export type FromThread =
  | { readonly kind: "filled"; readonly job: number; readonly buffer: ArrayBuffer; readonly bytes: number }
  | { readonly kind: "end"; readonly job: number; readonly key: AnswerKey }
  | { readonly kind: "error"; readonly job: number; readonly error: unknown };

const port = parentPort;
if (port === null) {
  throw new Error("thread.js is started by source.js");
}

let job = -1;
let generator: ChunkGenerator | undefined;

port.on("message", (message: ToThread) => {
  try {
    if (message.kind === "begin") {
      job = message.job;
      generator = new ChunkGenerator(
        message.spec,
        chunkOf(planRun(message.spec), message.spec, message.chunkNo),
      );
    } else if (message.job === job && generator !== undefined) {
      fill(generator, message.buffer);
    }
  } catch (error) {
    generator = undefined;
    post({ kind: "error", job: message.job, error });
  }
});

function fill(from: ChunkGenerator, buffer: ArrayBuffer): void {
  const bytes = from.fill(new Uint8Array(buffer));
  if (bytes > 0) {
    post({ kind: "filled", job, buffer, bytes }, [buffer]);
  } else {
    // Buffers still on their way here are dropped: the job they belong to is over.
    generator = undefined;
    post({ kind: "end", job, key: from.answerKey() });
  }
}

function post(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}
