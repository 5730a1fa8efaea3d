import { Worker } from "node:worker_threads";
import { fileOfBuild } from "../../lib/root.js";
import type { PlannedSpec } from "../spec.js";
import type { AnswerKey } from "./generator.js";
import type { FromThread, ToThread } from "./thread.js";

/** 256 KiB: two socket writes per buffer, so small ones cost; larger ones gained nothing measurable. */
const BUFFER_BYTES = 256 * 1_024;
/** One being sent, one waiting, two being filled: enough that neither side waits for the other. */
const BUFFERS_IN_FLIGHT = 4;

/** Chunks as streams, generated on threads of their own; idle threads are kept for the next chunk. */
export class ChunkSource {
  readonly #idle: GeneratorThread[] = [];
  readonly #all = new Set<GeneratorThread>();

  /**
   * The chunk's binary COPY stream. A buffer is valid only until the next one is asked for; a short last one for good.
   *
   * @param onKey gets the answer key when the last buffer has been taken.
   */
  async *stream(
    spec: PlannedSpec,
    chunkNo: number,
    onKey: (key: AnswerKey) => void,
  ): AsyncGenerator<Uint8Array> {
    const thread = this.#idle.pop() ?? this.#start();
    try {
      onKey(yield* thread.generate(spec, chunkNo));
    } catch (error) {
      this.#all.delete(thread);
      void thread.close();
      throw error;
    } finally {
      // Also after a consumer that stopped early: the thread ignores what is left of the job.
      if (this.#all.has(thread)) {
        this.#idle.push(thread);
      }
    }
  }

  async close(): Promise<void> {
    const threads = [...this.#all];
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.all(threads.map((thread) => thread.close()));
  }

  #start(): GeneratorThread {
    const thread = new GeneratorThread();
    this.#all.add(thread);
    return thread;
  }
}

class GeneratorThread {
  readonly #worker = new Worker(fileOfBuild(import.meta.dirname, "etl/generate/thread.js"));
  readonly #inbox: FromThread[] = [];
  #wake: (() => void) | undefined;
  #job = 0;
  #failure: unknown;

  constructor() {
    this.#worker.on("message", (message: FromThread) => {
      if (message.job === this.#job) {
        this.#inbox.push(message);
      }
      this.#wake?.();
    });
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (code) => this.#fail(new Error(`generator thread ended with code ${code}`)));
    // An idle thread must not keep a command from ending.
    this.#worker.unref();
  }

  async *generate(spec: PlannedSpec, chunkNo: number): AsyncGenerator<Uint8Array, AnswerKey> {
    this.#job++;
    this.#inbox.length = 0;
    this.#send({ kind: "begin", job: this.#job, spec, chunkNo });
    for (let i = 0; i < BUFFERS_IN_FLIGHT; i++) {
      this.#lend(new ArrayBuffer(BUFFER_BYTES));
    }
    for (;;) {
      const message = await this.#receive();
      if (message.kind === "end") {
        return message.key;
      }
      if (message.kind === "error") {
        throw message.error;
      }
      yield new Uint8Array(message.buffer, 0, message.bytes);
      // A socket asks for more than it has sent as long as that is below its high-water mark (16 or 64 KiB), and lending would
      // take the bytes away under it: PostgreSQL then waits for them for good.
      if (message.bytes >= BUFFER_BYTES / 2) {
        this.#lend(message.buffer);
      }
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #lend(buffer: ArrayBuffer): void {
    this.#send({ kind: "buffer", job: this.#job, buffer }, [buffer]);
  }

  #send(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  async #receive(): Promise<FromThread> {
    for (;;) {
      const message = this.#inbox.shift();
      if (message !== undefined) {
        return message;
      }
      if (this.#failure !== undefined) {
        throw this.#failure;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake?.();
  }
}
