import { codeOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import type { Pool } from "../postgres/pool.js";
import { pause } from "../timing.js";
import type { Part } from "./lifecycle.js";

/** This month and two more: a service that is not started for two months finds a place for its rows, and DEFAULT takes the rest. */
const MONTHS = 3;
const DAY_MS = 86_400_000;

/** Makes the partitions of the months to come: before the first row, then once a day. */
export function monthsAhead(pool: Pool, tables: readonly string[], logger: Logger): Part {
  const stopping = new AbortController();
  let daily: Promise<void> | undefined;
  const make = async () => {
    for (const table of tables) {
      await pool.query("SELECT ops.add_months($1::regclass, $2)", [table, MONTHS]);
    }
  };
  const repeat = async () => {
    for (;;) {
      await pause(DAY_MS, stopping.signal);
      if (stopping.signal.aborted) {
        return;
      }
      await make().catch((error: unknown) =>
        logger.warn({ code: codeOf(error), err: error }, "partitions of the coming months were not made"),
      );
    }
  };
  return {
    name: "months ahead",
    start: async () => {
      await make();
      daily = repeat();
    },
    stop: async () => {
      stopping.abort();
      await daily;
    },
  };
}
