import { firstDayOf } from "../../etl/commands/month.js";
import { etl } from "../../etl/module.js";
import { profileOf } from "../../etl/profile/read.js";
import type { EtlSettings } from "../../etl/settings.js";
import { type CommandContext, withDatabase } from "../../lib/cli/command.js";
import { codeOf } from "../../lib/errors.js";
import { verdictOf } from "../../lib/retry.js";
import type { Runtime } from "../../lib/runtime/module.js";
import { at } from "../../lib/runtime/replicas.js";
import { ConsoleError } from "../../services/console/errors.js";
import type { PlatformActions } from "../../services/console/platform_actions.js";
import type { ContextOf } from "./context.js";

/** A page waits for 20 s, and whoever heals the month waits for us. */
const MOST_S = 15;
/** It takes one core, changes nothing, and goes when a month is being swapped in. */
const GENTLE = {
  statement_timeout: `${MOST_S}s`,
  lock_timeout: "2s",
  default_transaction_read_only: "on",
  max_parallel_workers_per_gather: "0",
};
const CANCELLED = "57014";

/** What `payments profile` does, but no longer than a page waits; on a replica while one is fit. */
export function profileActions(
  contextOf: ContextOf,
  { replicas }: Pick<Runtime, "replicas">,
): Pick<PlatformActions, "profileMonth"> {
  return {
    profileMonth: async (month) => {
      const context = contextOf<EtlSettings>(etl);
      const replica = replicas.next();
      if (replica !== undefined) {
        try {
          return await read({ ...context, settings: at(context.settings, replica.place) }, month);
        } catch (error) {
          if (verdictOf(error) === "reject") {
            throw error;
          }
          replicas.failed(replica, error);
        }
      }
      return read(context, month);
    },
  };
}

async function read(context: CommandContext, month: string) {
  const options = { applicationName: "payments console profile", max: 1, session: GENTLE };
  try {
    const { rows, shapes } = await withDatabase(context, (pool) => profileOf(pool, firstDayOf(month)), {
      ...options,
      queryTimeoutMs: (MOST_S + 5) * 1_000,
    });
    return { rows, shapes: shapes.map((shape) => ({ ...shape, distance: finite(shape.distance) })) };
  } catch (cause) {
    if (codeOf(cause) !== CANCELLED) {
      throw cause;
    }
    throw new ConsoleError("CONSOLE_MONTH_LARGE", `${month} was not read within ${MOST_S} s.`, {
      ...{ hint: `At a terminal it may take longer: payments profile ${month}.`, cause },
    });
  }
}

/** JSON knows no infinity. */
const finite = (distance: number | null) =>
  distance === null || Number.isFinite(distance) ? distance : null;
