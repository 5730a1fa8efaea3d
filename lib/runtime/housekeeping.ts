import { codeOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { pause } from "../timing.js";
import type { Part } from "./lifecycle.js";

/** What a service does to its tables now and then, in every process of it; twice at once must do no harm. */
export interface Chore {
  /** For log lines, e.g. `idempotency keys`. */
  readonly name: string;
  readonly everyMs: number;
  /** Without it the service cannot begin: it is done before the start is over, and what it throws ends the process. */
  readonly first?: boolean;
  readonly run: () => Promise<unknown>;
}

/** Does chores, each at its own pace; one that fails is logged and comes again. */
export function housekeeping(chores: readonly Chore[], logger: Logger): Part {
  const stopping = new AbortController();
  const { signal } = stopping;
  let loops: Promise<unknown> = Promise.resolve();
  const repeat = async ({ name, everyMs, run }: Chore) => {
    for (;;) {
      await pause(everyMs, signal);
      if (signal.aborted) {
        return;
      }
      await run().catch((error: unknown) =>
        logger.warn({ code: codeOf(error), err: error }, `housekeeping failed: ${name}`),
      );
    }
  };
  return {
    name: "housekeeping",
    start: async () => {
      for (const { run } of chores.filter(({ first }) => first)) {
        await run();
      }
      loops = Promise.all(chores.map(repeat));
    },
    stop: async () => {
      stopping.abort();
      await loops;
    },
  };
}
