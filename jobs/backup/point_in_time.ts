import { lstat, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Mismatch } from "../../etl/verify/report.js";
import { verify } from "../../etl/verify/verify.js";
import { one } from "../../lib/postgres/one.js";
import type { Owner } from "../../lib/process/run.js";
import { BackupError, withCode } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { addressOf, LOOPBACK, withSessions } from "./address.js";
import { withLock } from "./lock.js";
import { requireIntact } from "./open_dump.js";
import { execute, majorOf, postgresTool } from "./postgres_tool.js";
import { freePort, listensOn, type ServerOptions, serverOwner, withServer } from "./server.js";
import { BASE_FILES, listBackups, lockFile, walFolder } from "./store.js";

export interface PointInTime {
  readonly backup: string;
  readonly data: string;
  readonly wanted: string;
  /** Of the last transaction that is in it; null when none was replayed beyond the base backup. */
  readonly lastTransactionAt: string | null;
  /** The base backup copied and checked, its log replayed, the server open. */
  readonly restoreMs: number;
  readonly verifyMs: number;
  /** What `payments verify` says of the data as it was at that moment. */
  readonly differences: readonly Mismatch[];
}

/**
 * Brings the whole cluster back as it was at a moment, in a new data directory: the last base backup before it, and the
 * archived log up to it. The running server, if there is one, is not touched. The new one is started for the recovery and a
 * verification, and stopped again.
 *
 * @param time with a zone, e.g. `2026-01-31T12:00:00Z`.
 * @param data must not exist or be empty.
 * @throws PlatformError RESTORE_REFUSED, BACKUP_UNKNOWN, BACKUP_DAMAGED, BACKUP_BUSY, TOOL_MISSING, RESTORE_FAILED, INTERRUPTED;
 *   nothing is left in `data` then.
 */
export async function restoreToTime(
  settings: BackupSettings,
  time: string,
  data: string,
  signal?: AbortSignal,
): Promise<PointInTime> {
  const wanted = parseTime(time);
  const target = resolve(data);
  await requireNew(target);
  const folder = settings.BACKUP_DIR;
  return withLock(lockFile(folder), "shared", async () => {
    const id = await baseBefore(folder, wanted);
    const started = performance.now();
    const { backup, manifest } = await requireIntact(folder, "base", id);
    const postgres = await postgresTool("postgres", majorOf(manifest));
    const pgVerifybackup = await postgresTool("pg_verifybackup", majorOf(manifest));
    const files = join(backup.path, BASE_FILES);
    await execute(pgVerifybackup, [files], { signal }).catch((error: unknown) => {
      throw withCode(error, "BACKUP_DAMAGED", id);
    });
    try {
      const owner = await serverOwner();
      await copyFiles(files, target, owner, signal);
      const server = { postgres, data: target, log: `${target}.log`, owner, signal };
      const recovered = await recover(settings, server, wanted, started);
      return { backup: id, data: target, wanted: wanted.toISOString(), ...recovered };
    } catch (error) {
      await rm(target, { recursive: true, force: true });
      const hint =
        "The archive may end before that time: a running server archives within a minute (archive_timeout).";
      throw withCode(error, "RESTORE_FAILED", "nothing was restored", hint);
    } finally {
      await rm(`${target}.log`, { force: true });
    }
  });
}

function parseTime(time: string): Date {
  const parsed = new Date(time);
  const zoned = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
  if (!zoned.test(time) || Number.isNaN(parsed.getTime())) {
    throw new BackupError("RESTORE_REFUSED", `${time} is no time.`, {
      hint: "Write it with its zone: 2026-01-31T12:00:00Z.",
    });
  }
  return parsed;
}

async function requireNew(target: string): Promise<void> {
  const there = await lstat(target).catch(() => undefined);
  if (there !== undefined && (!there.isDirectory() || (await readdir(target)).length > 0)) {
    throw new BackupError("RESTORE_REFUSED", `${target} is not empty.`, {
      hint: "Name a new directory with --data.",
    });
  }
}

async function baseBefore(folder: string, wanted: Date): Promise<string> {
  // By their times, not in the order in which they were made: the log that is replayed has its times from the same clock.
  const bases = (await listBackups(folder))
    .flatMap(({ manifest }) => (manifest?.kind === "base" ? [manifest] : []))
    .sort((a, b) => Date.parse(b.finishedAt) - Date.parse(a.finishedAt));
  const found = bases.find(({ finishedAt }) => Date.parse(finishedAt) <= wanted.getTime());
  if (found !== undefined) {
    return found.id;
  }
  const oldest = bases.at(-1);
  throw new BackupError("BACKUP_UNKNOWN", `no base backup was finished before ${wanted.toISOString()}.`, {
    hint: oldest
      ? `The oldest one ended at ${oldest.finishedAt}.`
      : "There is none at all: scripts/backup.sh --base.",
  });
}

async function copyFiles(
  from: string,
  target: string,
  owner: Owner | undefined,
  signal?: AbortSignal,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await mkdir(target, { recursive: true, mode: 0o700 });
  await execute("cp", ["--archive", "--reflink=auto", "--", `${from}/.`, target], { signal });
  await writeFile(join(target, "recovery.signal"), "");
  if (owner) {
    await execute("chown", ["--recursive", `${owner.uid}:${owner.gid}`, "--", target], { signal });
  }
}

async function recover(
  settings: BackupSettings,
  files: Omit<ServerOptions, "ready" | "settings">,
  wanted: Date,
  started: number,
): Promise<Pick<PointInTime, "lastTransactionAt" | "restoreMs" | "verifyMs" | "differences">> {
  const address = { ...addressOf(settings, "loader"), ...LOOPBACK, port: await freePort() };
  const wal = walFolder(settings).replaceAll("%", "%%").replaceAll("'", "'\\''");
  // Nobody gets in before it is promoted, so the first who does finds it as it was wanted.
  const { ready, settings: listening } = listensOn(address);
  // Given on the command line, so that nothing of it stays in the new cluster's files.
  const recovering = {
    restore_command: `test -f '${wal}'/%f.gz && gzip -dc '${wal}'/%f.gz >%p`,
    // Its zone as a number: abbreviations are not known yet when the command line is read.
    recovery_target_time: wanted.toISOString().replace("Z", "+00"),
    recovery_target_action: "promote",
    recovery_target_timeline: "latest",
    hot_standby: "off",
    // Nothing goes into the archive until it is decided which server goes on; what is to go there, its new timeline's
    // history first, is remembered for then.
    archive_mode: "on",
    archive_command: "",
  };
  const server = { ...files, ready, settings: { ...listening, ...recovering } };
  return withServer(server, async () => {
    const restoreMs = Math.round(performance.now() - started);
    return withSessions(address, 3, async (pool) => {
      const { rows } = await pool.query<{ at: Date | null }>("SELECT pg_last_xact_replay_timestamp() AS at");
      const { differences } = await verify(pool, undefined);
      const verifyMs = Math.round(performance.now() - started) - restoreMs;
      return { lastTransactionAt: one(rows).at?.toISOString() ?? null, restoreMs, verifyMs, differences };
    });
  });
}
