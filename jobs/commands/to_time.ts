import { Command } from "commander";
import { print, printJson } from "../../lib/cli/command.js";
import { EXIT } from "../../lib/errors.js";
import { restoreToTime } from "../backup/point_in_time.js";
import { type BackupAction, type BackupContext, seconds } from "./command.js";

export interface ToTimeOptions {
  readonly toTime: string;
  readonly data: string;
}

export function toTimeCommand(action: BackupAction): Command {
  return new Command("to-time")
    .description("the whole cluster as it was at a moment, in a new data directory")
    .requiredOption("--to-time <time>", "with its zone, e.g. 2026-01-31T12:00:00Z")
    .requiredOption("--data <dir>", "new data directory")
    .action(action((context, options: ToTimeOptions) => toTime(context, options)));
}

export async function toTime(context: BackupContext, { toTime, data }: ToTimeOptions): Promise<number> {
  const result = await restoreToTime(context.settings, toTime, data, context.interruption());
  if (context.json) {
    printJson(result);
  } else {
    const last = result.lastTransactionAt ?? "none since";
    print(
      `${result.data} is the cluster as it was at ${result.wanted}, from ${result.backup}; its last transaction: ${last}`,
    );
    print(
      `restore ${seconds(result.restoreMs)}, payments verify ${seconds(result.verifyMs)}: ${result.differences.length} difference(s)`,
    );
  }
  return result.differences.length === 0 ? EXIT.ok : EXIT.mismatch;
}
