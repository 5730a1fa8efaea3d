import type { Sender } from "./sender.js";

export interface OpenLoop {
  readonly sender: Sender;
  /** A second. */
  readonly ratePerS: number;
  readonly total: number;
  /** Ends the sending early; what is under way is waited for. */
  readonly signal: AbortSignal;
}

/** Short against the latencies that are measured; every millisecond cost a fifth more. */
const TICK_MS = 2;

/**
 * Sends each request at its time, whether those before it were answered or not: a slow target gets no mercy.
 *
 * @returns how many were sent, and how late the latest was, which tells whether this process kept up.
 */
export async function sendOpenLoop(
  loop: OpenLoop,
): Promise<{ readonly sent: number; readonly lateMs: number }> {
  const { sender, ratePerS, total, signal } = loop;
  const everyMs = 1_000 / ratePerS;
  const startMs = performance.now();
  let sent = 0;
  let lateMs = 0;
  await new Promise<void>((resolve) => {
    const tick = () => {
      const now = performance.now();
      const due = Math.min(total, Math.floor((now - startMs) / everyMs) + 1);
      if (sent < due) {
        lateMs = Math.max(lateMs, now - (startMs + sent * everyMs));
      }
      for (; sent < due; sent++) {
        sender.send({ index: sent, dueMs: startMs + sent * everyMs });
      }
      if (sent === total || signal.aborted) {
        resolve();
      } else {
        setTimeout(tick, TICK_MS);
      }
    };
    tick();
  });
  await sender.drained();
  return { sent, lateMs };
}
