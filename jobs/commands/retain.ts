import { Command } from "commander";
import { print, printJson } from "../../lib/cli/command.js";
import { prune } from "../backup/prune.js";
import type { BackupAction, BackupContext } from "./command.js";

export function retainCommand(action: BackupAction): Command {
  return new Command("retain")
    .description("remove backups and archived log whose time is over")
    .action(action((context, _options: object) => retain(context)));
}

export async function retain({ settings, logger, json }: BackupContext): Promise<undefined> {
  const removed = await prune(settings, logger);
  if (json) {
    printJson({ removed });
  } else {
    print(removed.length === 0 ? "nothing to remove" : `removed: ${removed.join(", ")}`);
  }
  return undefined;
}
