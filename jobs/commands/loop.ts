import { Command } from "commander";
import { loop } from "../backup/loop.js";
import type { BackupAction, BackupContext } from "./command.js";

export function loopCommand(action: BackupAction): Command {
  return new Command("loop")
    .description("backups, retention and restore drills on time, until SIGTERM")
    .action(action((context, _options: object) => runLoop(context)));
}

export async function runLoop({ settings, logger, interruption }: BackupContext): Promise<undefined> {
  await loop(settings, logger, interruption());
  logger.info("backup loop stopped");
  return undefined;
}
