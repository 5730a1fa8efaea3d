import { pause } from "../../lib/timing.js";
import { Sender, type SenderOptions } from "./sender.js";

/** So often, a second apart: longer than a process needs that starts anew. */
const ROUNDS = 30;
const ROUND_MS = 1_000;

export interface AskAgain extends Omit<SenderOptions, "onEnd"> {
  readonly indices: readonly number[];
  readonly onCreated: (index: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Sends requests of which it is not known whether they took effect once more, until each is answered as one that has. A refusal
 * settles nothing: it is this request's, not the first one's.
 */
export async function askAgain(options: AskAgain): Promise<void> {
  const { onCreated, signal } = options;
  const open = new Set(options.indices);
  const sender = new Sender({
    ...options,
    onEnd: (index, { outcome }) => {
      if (outcome === "created") {
        open.delete(index);
        onCreated(index);
      }
    },
  });
  for (let round = 0; round < ROUNDS && open.size > 0 && !signal.aborted; round++) {
    await pause(ROUND_MS, signal);
    for (const index of open) {
      sender.send({ index, dueMs: performance.now() });
    }
    await sender.drained();
  }
  sender.close();
}
