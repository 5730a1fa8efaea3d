import { Command } from "commander";
import { type ActionWrapper, withDatabase } from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import { cancelRun } from "../runs/cancel.js";
import type { EtlSettings } from "../settings.js";
import { show } from "./show.js";

export function cancelCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("cancel")
    .description("end a run for good and take back what it has not published; finished months stay")
    .argument("<run>", "run id, e.g. r1")
    .action(
      action(async (context, runId: string, _options: object) => {
        const taken = await withDatabase(context, (pool) => cancelRun(pool, runId));
        const what = `${formatCount(taken.rows)} rows of ${taken.months.length} unfinished month(s)`;
        return show(
          context,
          { run: runId, state: "cancelled", ...taken },
          `${runId} is cancelled; ${what} taken back`,
        );
      }),
    );
}
