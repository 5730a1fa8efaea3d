import { type ActionWrapper, type CommandContext, print, printJson } from "../../lib/cli/command.js";
import { warnOfAhead } from "../backup/newest.js";
import { type Backup, listBackups } from "../backup/store.js";
import type { BackupSettings } from "../settings.js";

export type BackupAction = ActionWrapper<BackupSettings>;
export type BackupContext = CommandContext<BackupSettings>;

/** Prints a result: whole with --json, else what there is to say of it, a line each. */
export function show({ json }: Pick<BackupContext, "json">, result: unknown, lines: readonly string[]): void {
  if (json) {
    printJson(result);
  } else {
    lines.forEach(print);
  }
}

/** All backups, newest first; those whose time is still to come are warned of. */
export async function listAndWarn({ settings, logger }: BackupContext): Promise<Backup[]> {
  const backups = await listBackups(settings.BACKUP_DIR);
  warnOfAhead(backups, logger);
  return backups;
}

export const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
