import { Command } from "commander";
import { type ActionWrapper, print, printJson, withDatabase } from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import { cancelRun } from "../runs/cancel.js";
import type { EtlSettings } from "../settings.js";

export function cancelCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("cancel")
    .description("end a run for good and take back what it has not published; finished months stay")
    .argument("<run>", "run id, e.g. r1")
    .action(
      action(async (context, runId: string, _options: object) => {
        const taken = await withDatabase(context, (pool) => cancelRun(pool, runId));
        if (context.json) {
          printJson({ run: runId, state: "cancelled", ...taken });
        } else {
          print(
            `${runId} is cancelled; ${formatCount(taken.rows)} rows of ${taken.months.length} unfinished month(s) taken back`,
          );
        }
        return undefined;
      }),
    );
}
