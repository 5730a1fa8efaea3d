import { codeOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { pause } from "../timing.js";
import type { Part } from "./lifecycle.js";

/** After a failure: a lock that somebody held for long, a server that was away. */
const RETRY_MS = 300_000;

/** What a service does to its tables now and then, in every process of it; twice at once must do no harm. */
export interface Chore {
  /** For log lines, e.g. `idempotency keys`. */
  readonly name: string;
  readonly everyMs: number;
  /** Done before the service begins; without it right after that. */
  readonly first?: boolean;
  readonly run: () => Promise<unknown>;
}

/** Does chores, each at its own pace; one that fails is logged and comes again. */
export function housekeeping(chores: readonly Chore[], logger: Logger): Part {
  const stopping = new AbortController();
  const { signal } = stopping;
  let loops: Promise<unknown> = Promise.resolve();
  /** @returns how long until it is due again */
  const attempt = ({ name, everyMs, run }: Chore): Promise<number> =>
    run().then(
      () => everyMs,
      (error: unknown) => {
        logger.warn({ code: codeOf(error), err: error }, `housekeeping failed: ${name}`);
        return Math.min(everyMs, RETRY_MS);
      },
    );
  const repeat = async (chore: Chore, firstMs: number) => {
    for (let waitMs = firstMs; ; waitMs = await attempt(chore)) {
      await pause(waitMs, signal);
      if (signal.aborted) {
        return;
      }
    }
  };
  return {
    name: "housekeeping",
    start: async () => {
      const due: number[] = [];
      for (const chore of chores) {
        due.push(chore.first === true ? await attempt(chore) : 0);
      }
      loops = Promise.all(chores.map((chore, i) => repeat(chore, due[i] ?? 0)));
    },
    stop: async () => {
      stopping.abort();
      await loops;
    },
  };
}
