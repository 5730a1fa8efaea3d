#!/usr/bin/env node
import { createInterface } from "node:readline/promises";
import { Command, Option } from "commander";
import { backup } from "../jobs/backup/backup.js";
import { drill } from "../jobs/backup/drill.js";
import { describeDifference } from "../jobs/backup/fill.js";
import { loop } from "../jobs/backup/loop.js";
import type { DumpManifest, Manifest } from "../jobs/backup/manifest.js";
import { warnOfAhead } from "../jobs/backup/newest.js";
import { restoreToTime } from "../jobs/backup/point_in_time.js";
import { retain } from "../jobs/backup/prune.js";
import { restore } from "../jobs/backup/restore.js";
import { backupFolder, listBackups } from "../jobs/backup/store.js";
import { type BackupSettings, backupSettings } from "../jobs/settings.js";
import { type ActionWrapper, print, printJson } from "../lib/cli/command.js";
import { runProgram } from "../lib/cli/program.js";
import { formatCount, formatTable } from "../lib/cli/table.js";
import { EXIT } from "../lib/errors.js";
import { say, stderrLines } from "../lib/process/stderr.js";
import { actionsWith } from "./cli.js";

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** The name typed on the terminal, or the first line of standard input. */
async function typed(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    stderrLines.write(question);
    for await (const line of lines) return line.trim();
    return "";
  } finally {
    lines.close();
  }
}

function backupCommand(action: ActionWrapper<BackupSettings>): Command {
  return new Command("backup")
    .description("dump the database, or copy the whole cluster (--base), into BACKUP_DIR")
    .addOption(
      new Option("--format <format>", "of a dump").choices(["directory", "custom"]).default("directory"),
    )
    .option("--base", "a base backup of the whole cluster, for recovery to a point in time")
    .action(
      action(
        async (
          { settings, logger, json, interruption },
          options: { format: DumpManifest["format"]; base?: true },
        ) => {
          const kind = options.base ? "base" : "dump";
          const manifest = await backup(settings, logger, kind, {
            format: options.format,
            signal: interruption(),
          });
          if (json) printJson(manifest);
          else print(describe(manifest));
          return EXIT.ok;
        },
      ),
    );
}

function describe(manifest: Manifest): string {
  const took = seconds(Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt));
  const rows =
    manifest.kind === "dump"
      ? `, ${formatCount(manifest.tables.reduce((sum, table) => sum + table.rows, 0))} rows`
      : "";
  return `${manifest.id}: ${megabytes(manifest.bytes)}${rows} in ${took}`;
}

function listCommand(action: ActionWrapper<BackupSettings>): Command {
  return new Command("list").description("list the backups, newest first").action(
    action(async ({ settings, logger, json }, _options: object) => {
      const backups = await listBackups(backupFolder(settings));
      warnOfAhead(backups, logger);
      if (json) printJson(backups);
      else
        print(
          formatTable(
            ["backup", "database", "size", "PostgreSQL", "verified"],
            backups.map(({ id, manifest, verifiedAt }) =>
              manifest === undefined
                ? [id, "?", "?", "?", "manifest cannot be read"]
                : [id, manifest.database, megabytes(manifest.bytes), manifest.server, verifiedAt ?? ""],
            ),
          ),
        );
      return EXIT.ok;
    }),
  );
}

interface RestoreFlags {
  readonly backup?: string;
  readonly latest?: true;
  readonly into?: string;
  readonly force?: true;
  readonly dryRun?: true;
}

function restoreCommand(action: ActionWrapper<BackupSettings>): Command {
  return new Command("restore")
    .description("restore a dump into a database")
    .addOption(new Option("--backup <id>", "this one").conflicts("latest"))
    .option("--latest", "the newest (the default)")
    .option("--into <database>", "database to make or replace; default POSTGRES_DB")
    .option("--force", "replace a database that is not empty; its name must be typed")
    .option("--dry-run", "check the backup and the target, change nothing")
    .action(
      action(async ({ settings, logger, json, interruption }, flags: RestoreFlags) => {
        if (flags.backup === undefined) warnOfAhead(await listBackups(backupFolder(settings)), logger);
        const into = flags.into ?? settings.POSTGRES_DB;
        const result = await restore(settings, {
          id: flags.backup,
          into,
          force: flags.force === true,
          dryRun: flags.dryRun === true,
          signal: interruption(),
          typeName: () => typed(`This replaces database ${into}. Type its name to go on: `),
          onPlan: (plan) => {
            if (flags.dryRun && json) printJson(plan);
            else {
              const text = `${plan.backup} (${plan.takenAt}, ${formatCount(plan.rows)} rows) into ${into}, which is ${plan.target}`;
              if (flags.dryRun) print(`would restore ${text}`);
              else say(`restoring ${text}`);
              if (plan.absentRoles.length > 0) {
                const lacks = `this server lacks roles that have rights in it: ${plan.absentRoles.join(", ")}; ${plan.backup}/globals.sql makes them`;
                if (flags.dryRun) print(lacks);
                else say(lacks);
              }
            }
          },
        });
        if (result === undefined) return EXIT.ok;
        if (json) printJson(result);
        else {
          print(`restored and verified: ${seconds(result.restoreMs)} + ${seconds(result.verifyMs)}`);
          for (const difference of result.differences)
            print(`not as it was: ${describeDifference(difference)}`);
          if (result.complaint !== null) print(`because, first of all: ${result.complaint}`);
          if (result.replaced !== null)
            print(`what was there before is now called ${result.replaced}; drop it when you are sure`);
        }
        return EXIT.ok;
      }),
    );
}

function toTimeCommand(action: ActionWrapper<BackupSettings>): Command {
  return new Command("to-time")
    .description("the whole cluster as it was at a moment, in a new data directory")
    .requiredOption("--to-time <time>", "with its zone, e.g. 2026-01-31T12:00:00Z")
    .requiredOption("--data <dir>", "new data directory")
    .action(
      action(async ({ settings, json, interruption }, flags: { toTime: string; data: string }) => {
        const result = await restoreToTime(settings, flags.toTime, flags.data, interruption());
        if (json) printJson(result);
        else {
          print(
            `${result.data} is the cluster as it was at ${result.wanted}, from ${result.backup}; its last transaction: ${result.lastTransactionAt ?? "none since"}`,
          );
          print(
            `restore ${seconds(result.restoreMs)}, payments verify ${seconds(result.verifyMs)}: ${result.differences.length} difference(s)`,
          );
        }
        return result.differences.length === 0 ? EXIT.ok : EXIT.mismatch;
      }),
    );
}

function verifyCommand(action: ActionWrapper<BackupSettings>): Command {
  return new Command("verify")
    .description("restore a dump into a scratch database, compare it with its manifest, and drop it")
    .addOption(new Option("--backup <id>", "this one").conflicts("latest"))
    .option("--latest", "the newest (the default)")
    .option("--cluster", "into a server of its own, made from nothing with the backup's roles")
    .action(
      action(async ({ settings, logger, json, interruption }, flags: { backup?: string; cluster?: true }) => {
        if (flags.backup === undefined) warnOfAhead(await listBackups(backupFolder(settings)), logger);
        const place = flags.cluster ? "cluster" : "database";
        const result = await drill(settings, logger, { id: flags.backup, place, signal: interruption() });
        if (json) printJson(result);
        else {
          print(
            `verified: ${result.backup} restores to what its manifest says; restore ${seconds(result.restoreMs ?? 0)}, checks ${seconds(result.verifyMs ?? 0)}`,
          );
          for (const difference of result.named) print(`not as it was: ${describeDifference(difference)}`);
          if (result.notMarked !== null)
            print(`no mark was written, so ${result.backup} is not listed as verified: ${result.notMarked}`);
        }
        return EXIT.ok;
      }),
    );
}

function retainCommand(action: ActionWrapper<BackupSettings>): Command {
  return new Command("retain").description("remove backups and archived log whose time is over").action(
    action(async ({ settings, logger, json }, _options: object) => {
      const removed = await retain(settings, logger);
      if (json) printJson({ removed });
      else print(removed.length === 0 ? "nothing to remove" : `removed: ${removed.join(", ")}`);
      return EXIT.ok;
    }),
  );
}

function loopCommand(action: ActionWrapper<BackupSettings>): Command {
  return new Command("loop")
    .description("backups, retention and restore drills on time, until SIGTERM")
    .action(
      action(async ({ settings, logger, interruption }, _options: object) => {
        await loop(settings, logger, interruption());
        logger.info("backup loop stopped");
        return EXIT.ok;
      }),
    );
}

const action = actionsWith(() => [backupSettings]) as ActionWrapper<BackupSettings>;
const program = new Command("backups").description("Backups of the payments database, and their proof.");
for (const make of [
  backupCommand,
  listCommand,
  restoreCommand,
  toTimeCommand,
  verifyCommand,
  retainCommand,
  loopCommand,
]) {
  program.addCommand(make(action));
}
await runProgram(program);
