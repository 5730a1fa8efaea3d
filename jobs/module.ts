import { defineModule } from "../lib/runtime/module.js";
import { loop } from "./backup/loop.js";
import { backupCommand, loopCommand, retainCommand } from "./commands/backup.js";
import { listCommand, restoreCommand, toTimeCommand } from "./commands/restore.js";
import { verifyCommand } from "./commands/verify.js";
import { BackupError } from "./errors.js";
import { backupSettings } from "./settings.js";

/** What runs on a schedule: backups, their pruning and their proof. */
export const jobs = defineModule({
  name: "jobs",
  settings: backupSettings,
  errors: BackupError.table,
  roles: ["payments_backup"],
  program: "backups",
  commands: [
    backupCommand,
    listCommand,
    restoreCommand,
    toTimeCommand,
    verifyCommand,
    retainCommand,
    loopCommand,
  ],
  start: ({ settings, logger, stopping }) => {
    let running: Promise<void> | undefined;
    const start = async () => {
      running = loop(settings, logger, stopping);
    };
    return { parts: [{ name: "backup loop", start, stop: async () => running }] };
  },
});
