import { Command } from "commander";
import { type ActionWrapper, type CommandContext, withDatabase } from "../../lib/cli/command.js";
import { forgetFailures } from "../ledger/failure.js";
import { missingMessages } from "../runs/resume.js";
import type { EtlSettings } from "../settings.js";
import { withBroker } from "./send.js";
import { show } from "./show.js";

export function resumeCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("resume")
    .description("send again every message an unfinished run is waiting for, rebuilt from the ledger")
    .argument("<run>", "run id, e.g. r1")
    .action(
      action(async (context, runId: string, _options: object) => {
        const sent = await resumeRun(context, runId);
        const text = sent === 0 ? `${runId} is over: nothing to send` : `${runId}: ${sent} messages sent`;
        return show(context, { run: runId, sent }, text);
      }),
    );
}

/** @returns how many messages were sent. @throws PlatformError RUN_UNKNOWN, RABBITMQ_* */
export async function resumeRun(context: CommandContext, runId: string): Promise<number> {
  return withDatabase(context, async (pool) => {
    const missing = await missingMessages(pool, runId);
    if (missing.length > 0) {
      await withBroker(context, async (send) => {
        await forgetFailures(pool, runId);
        await send(pool, missing);
      });
    }
    return missing.length;
  });
}
