import { Command } from "commander";
import { print, printJson } from "../../lib/cli/command.js";
import { formatTable } from "../../lib/cli/table.js";
import { warnOfAhead } from "../backup/newest.js";
import { type Backup, backupFolder, listBackups } from "../backup/store.js";
import { type BackupAction, type BackupContext, megabytes } from "./command.js";

export function listCommand(action: BackupAction): Command {
  return new Command("list")
    .description("list the backups, newest first")
    .action(action((context, _options: object) => list(context)));
}

export async function list({ settings, logger, json }: BackupContext): Promise<undefined> {
  const backups = await listBackups(backupFolder(settings));
  warnOfAhead(backups, logger);
  if (json) {
    printJson(backups);
  } else {
    print(formatTable(["backup", "database", "size", "PostgreSQL", "verified"], backups.map(rowOf)));
  }
  return undefined;
}

function rowOf({ id, manifest, verifiedAt }: Backup): string[] {
  if (manifest === undefined) {
    return [id, "?", "?", "?", "manifest cannot be read"];
  }
  return [id, manifest.database, megabytes(manifest.bytes), manifest.server, verifiedAt ?? ""];
}
