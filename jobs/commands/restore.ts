import { createInterface } from "node:readline/promises";
import { Command, Option } from "commander";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import { CoreError } from "../../lib/core_errors.js";
import { EXIT } from "../../lib/errors.js";
import { say, stderrLines } from "../../lib/process/stderr.js";
import { restoreToTime } from "../backup/point_in_time.js";
import { type RestorePlan, type RestoreResult, restore } from "../backup/restore.js";
import { describeMismatch } from "../backup/restore_into.js";
import type { Backup } from "../backup/store.js";
import { type BackupAction, type BackupContext, listAndWarn, megabytes, seconds, show } from "./command.js";

interface ToTimeOptions {
  readonly toTime: string;
  readonly data: string;
}

interface Options extends Partial<ToTimeOptions> {
  readonly list?: true;
  readonly backup?: string;
  readonly latest?: true;
  readonly into?: string;
  readonly force?: true;
  readonly dryRun?: true;
}

/** What works on a dump, and makes no sense with the whole cluster. */
const OF_A_DUMP = ["list", "backup", "latest", "into", "force", "dryRun"];

export function restoreCommand(action: BackupAction): Command {
  return new Command("restore")
    .description("restore a dump into a database, or the whole cluster as it was at a moment (--to-time)")
    .option("--list", "only list the backups, newest first")
    .addOption(new Option("--backup <id>", "this one").conflicts("latest"))
    .option("--latest", "the newest (the default)")
    .option("--into <database>", "database to make or replace; default POSTGRES_DB")
    .option(
      "--force",
      "replace a database that is not empty: its name must be typed, it is renamed, not dropped",
    )
    .option("--dry-run", "check the backup and the target, change nothing")
    .addOption(new Option("--to-time <time>", "e.g. 2026-01-31T12:00:00Z; needs --data").conflicts(OF_A_DUMP))
    .option("--data <dir>", "where to put that cluster: a new data directory")
    .addHelpText(
      "after",
      "\nA dump is restored beside its target, compared with its manifest, and takes the target's name only then.\nExit status: 0 ok, 1 failed, 2 usage, 3 the backup is not what it was, 130 interrupted. See docs/restore.md.",
    )
    .action(
      action(async (context, options: Options) => {
        const { toTime: time, data } = options;
        if ((time === undefined) !== (data === undefined)) {
          throw new CoreError("USAGE_INVALID", "--to-time and --data go together.");
        }
        if (time !== undefined && data !== undefined) {
          return toTime(context, { toTime: time, data });
        }
        return options.list ? list(context) : restoreDump(context, options);
      }),
    );
}

export function listCommand(action: BackupAction): Command {
  return new Command("list")
    .description("list the backups, newest first")
    .action(action((context, _options: object) => list(context)));
}

export function toTimeCommand(action: BackupAction): Command {
  return new Command("to-time")
    .description("the whole cluster as it was at a moment, in a new data directory")
    .requiredOption("--to-time <time>", "with its zone, e.g. 2026-01-31T12:00:00Z")
    .requiredOption("--data <dir>", "new data directory")
    .action(action((context, options: ToTimeOptions) => toTime(context, options)));
}

async function list(context: BackupContext): Promise<undefined> {
  const backups = await listAndWarn(context);
  const header = ["backup", "database", "size", "PostgreSQL", "verified"];
  show(context, backups, [formatTable(header, backups.map(cellsOf))]);
}

function cellsOf({ id, manifest, verifiedAt }: Backup): string[] {
  if (manifest === undefined) {
    return [id, "?", "?", "?", "manifest cannot be read"];
  }
  return [id, manifest.database, megabytes(manifest.bytes), manifest.server, verifiedAt ?? ""];
}

async function toTime(context: BackupContext, { toTime: time, data }: ToTimeOptions): Promise<number> {
  const result = await restoreToTime(context.settings, time, data, context.interruption());
  const { backup, wanted, lastTransactionAt, restoreMs, verifyMs, differences } = result;
  show(context, result, [
    `${result.data} is the cluster as it was at ${wanted}, from ${backup}; its last transaction: ${lastTransactionAt ?? "none since"}`,
    `restore ${seconds(restoreMs)}, payments verify ${seconds(verifyMs)}: ${differences.length} difference(s)`,
  ]);
  return differences.length === 0 ? EXIT.ok : EXIT.mismatch;
}

async function restoreDump(context: BackupContext, options: Options): Promise<undefined> {
  const { settings } = context;
  if (options.backup === undefined) {
    await listAndWarn(context);
  }
  const into = options.into ?? settings.POSTGRES_DB;
  const dryRun = options.dryRun === true;
  const result = await restore(settings, {
    id: options.backup,
    into,
    force: options.force === true,
    dryRun,
    signal: context.interruption(),
    typeName: () => promptLine(`This replaces database ${into}. Type its name to go on: `),
    onPlan: (plan) => {
      const lines = describePlan(plan, dryRun);
      if (dryRun) {
        show(context, plan, lines);
      } else {
        lines.forEach(say);
      }
    },
  });
  if (result !== undefined) {
    show(context, result, describeResult(result));
  }
}

function describePlan(plan: RestorePlan, dryRun: boolean): string[] {
  const { backup, takenAt, rows, into, target, absentRoles } = plan;
  const what = `${backup} (${takenAt}, ${formatCount(rows)} rows) into ${into}, which is ${target}`;
  const lines = [`${dryRun ? "would restore" : "restoring"} ${what}`];
  if (absentRoles.length > 0) {
    lines.push(
      `this server lacks roles that have rights in it: ${absentRoles.join(", ")}; ${backup}/globals.sql makes them`,
    );
  }
  return lines;
}

function describeResult({ restoreMs, verifyMs, differences, complaint, replaced }: RestoreResult): string[] {
  const lines = [`restored and verified: ${seconds(restoreMs)} + ${seconds(verifyMs)}`];
  for (const mismatch of differences) {
    lines.push(`not as it was: ${describeMismatch(mismatch)}`);
  }
  if (complaint !== null) {
    lines.push(`because, first of all: ${complaint}`);
  }
  if (replaced !== null) {
    lines.push(`what was there before is now called ${replaced}; drop it when you are sure`);
  }
  return lines;
}

/** What is typed on the terminal, or the first line of standard input. */
async function promptLine(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    stderrLines.write(question);
    for await (const line of lines) {
      return line.trim();
    }
    return "";
  } finally {
    lines.close();
  }
}
