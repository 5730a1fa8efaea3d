import { Command, Option } from "commander";
import { print, printJson } from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import { backup } from "../backup/backup.js";
import type { DumpManifest, Manifest } from "../backup/manifest.js";
import { type BackupAction, type BackupContext, megabytes, seconds } from "./command.js";
import { runLoop } from "./loop.js";
import { retain } from "./retain.js";

interface Options {
  readonly format: DumpManifest["format"];
  readonly base?: true;
  readonly retain?: true;
  readonly loop?: true;
}

export function backupCommand(action: BackupAction): Command {
  return new Command("backup")
    .description("dump the database, or copy the whole cluster (--base), into BACKUP_DIR")
    .addOption(
      new Option("--format <format>", "of a dump").choices(["directory", "custom"]).default("directory"),
    )
    .option("--base", "a base backup of the whole cluster, for recovery to a point in time")
    .addOption(
      new Option("--retain", "remove backups whose time is over (BACKUP_KEEP_*)").conflicts(["base", "loop"]),
    )
    .addOption(new Option("--loop", "all of it on time, until SIGTERM").conflicts("base"))
    .addHelpText(
      "after",
      "\nA backup is whole or not there at all; runs may go on meanwhile. With BACKUP_ENCRYPT_TO a dump is encrypted.\nExit status: 0 ok, 1 failed, 2 usage, 130 interrupted. See docs/restore.md.",
    )
    .action(
      action(async (context, options: Options) => {
        if (options.retain) {
          return retain(context);
        }
        return options.loop ? runLoop(context) : makeBackup(context, options);
      }),
    );
}

async function makeBackup(context: BackupContext, { base, format }: Options): Promise<undefined> {
  const { settings, logger, json } = context;
  const options = { format, signal: context.interruption() };
  const manifest = await backup(settings, logger, base ? "base" : "dump", options);
  if (json) {
    printJson(manifest);
  } else {
    print(describe(manifest));
  }
  return undefined;
}

function describe(manifest: Manifest): string {
  const took = seconds(Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt));
  const rows =
    manifest.kind === "dump"
      ? `, ${formatCount(manifest.tables.reduce((sum, table) => sum + table.rows, 0))} rows`
      : "";
  return `${manifest.id}: ${megabytes(manifest.bytes)}${rows} in ${took}`;
}
