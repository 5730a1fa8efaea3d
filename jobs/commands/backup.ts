import { Command, Option } from "commander";
import { formatCount } from "../../lib/cli/table.js";
import { backup } from "../backup/backup.js";
import { loop } from "../backup/loop.js";
import { type DumpManifest, type Manifest, rowsOf } from "../backup/manifest.js";
import { prune } from "../backup/prune.js";
import { type BackupAction, type BackupContext, megabytes, seconds, show } from "./command.js";

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

export function retainCommand(action: BackupAction): Command {
  return new Command("retain")
    .description("remove backups and archived log whose time is over")
    .action(action((context, _options: object) => retain(context)));
}

export function loopCommand(action: BackupAction): Command {
  return new Command("loop")
    .description("backups, retention and restore drills on time, until SIGTERM")
    .action(action((context, _options: object) => runLoop(context)));
}

async function makeBackup(context: BackupContext, { base, format }: Options): Promise<undefined> {
  const { settings, logger, interruption } = context;
  const options = { format, signal: interruption() };
  const manifest = await backup(settings, logger, base ? "base" : "dump", options);
  show(context, manifest, [describe(manifest)]);
}

function describe(manifest: Manifest): string {
  const took = seconds(Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt));
  const rows = rowsOf(manifest);
  const counted = rows === null ? "" : `, ${formatCount(rows)} rows`;
  return `${manifest.id}: ${megabytes(manifest.bytes)}${counted} in ${took}`;
}

async function retain(context: BackupContext): Promise<undefined> {
  const removed = await prune(context.settings, context.logger);
  show(context, { removed }, [removed.length === 0 ? "nothing to remove" : `removed: ${removed.join(", ")}`]);
}

async function runLoop({ settings, logger, interruption }: BackupContext): Promise<undefined> {
  const own = logger.child({ service: "payments-backups" });
  await loop(settings, own, interruption());
  own.info("backup loop stopped");
}
