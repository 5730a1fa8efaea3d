import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { codeOf } from "../../lib/errors.js";
import { BackupError, withCode } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { listFiles, MANIFEST, SUMS, sync, UNFINISHED, VERIFIED, writeSums } from "./files.js";
import { markUnfinished, removeMarked } from "./leftovers.js";
import { type Manifest, manifestSchema } from "./manifest.js";
import { isAhead, newestFirst } from "./newest.js";

/** Below a base backup's folder: a cluster's files, which PostgreSQL's own manifest lists. */
export const BASE_FILES = "base";
const ID = /^(dump|base)-\d{8}T\d{9}Z$/;

/** A backup as it lies in the folder; without a manifest when that cannot be read. */
export interface Backup {
  readonly id: string;
  readonly kind: Manifest["kind"];
  readonly path: string;
  readonly manifest: Manifest | undefined;
  /** When a restore of it was last compared and found equal. */
  readonly verifiedAt: string | null;
  /** Its time is still to come: a clock was ahead when it was made, or ours is behind. */
  readonly ahead: boolean;
}

export function walFolder(settings: BackupSettings): string {
  return settings.BACKUP_WAL_DIR || join(settings.BACKUP_DIR, "wal");
}

export const lockFile = (folder: string) => join(folder, ".lock");

/** `dump-20261122T024107123Z`: sorts by time. */
export function idOf(kind: Manifest["kind"], at: Date): string {
  return `${kind}-${at.toISOString().replaceAll(/[-:.]/g, "")}`;
}

/**
 * Makes a backup that is there whole or not at all: `fill` writes into a folder that is called `.partial` and marked as ours,
 * which is listed, summed, synced and only then given its name. Whatever goes wrong takes the folder with it.
 *
 * @param fill writes the files and returns the manifest.
 */
export async function writeBackup(
  folder: string,
  id: string,
  fill: (partial: string) => Promise<Manifest>,
): Promise<Manifest> {
  const partial = join(folder, `${id}.partial`);
  await mkdir(partial, { mode: 0o700 });
  try {
    await markUnfinished(partial);
    const manifest = await fill(partial);
    await writeFile(join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    const files = await listFiles(partial);
    const own = files.filter(
      (file) => !file.startsWith(`${BASE_FILES}/`) || file === `${BASE_FILES}/backup_manifest`,
    );
    await writeSums(partial, own);
    const written = [...own, SUMS].map((file) => join(partial, file));
    for (const path of written) {
      await chmod(path, 0o600);
    }
    for (const path of new Set([...written, ...written.map((file) => dirname(file)), partial])) {
      await sync(path);
    }
    await rename(partial, join(folder, id));
    await sync(folder);
    // Last: one that still has the mark is whole all the same.
    await rm(join(folder, id, UNFINISHED), { force: true }).catch(() => undefined);
    return manifest;
  } catch (error) {
    await removeMarked(partial);
    throw error;
  }
}

/**
 * All backups, newest first; see newestFirst.
 *
 * @throws PlatformError RESTORE_FAILED when the folder is there and cannot be read.
 */
export async function listBackups(folder: string): Promise<Backup[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if (codeOf(cause) === "ENOENT") {
      return [];
    }
    const hint = "Give this user the rights to it, or set BACKUP_DIR.";
    throw withCode(cause, "RESTORE_FAILED", "BACKUP_DIR cannot be read", hint);
  });
  const ids = names.filter((name) => ID.test(name));
  return newestFirst(await Promise.all(ids.map((id) => readBackup(folder, id))));
}

async function readBackup(folder: string, id: string): Promise<Backup> {
  const path = join(folder, id);
  /** What a file holds; undefined when it cannot be read, or is something else. */
  const read = async <T>(file: string, schema: z.ZodType<T>) =>
    readFile(join(path, file), "utf8")
      .then((text) => schema.parse(JSON.parse(text)))
      .catch(() => undefined);
  const manifest = await read(MANIFEST, manifestSchema);
  const verified = await read(VERIFIED, z.object({ at: z.string() }));
  return {
    id,
    kind: id.startsWith("base") ? "base" : "dump",
    path,
    manifest: manifest?.id === id ? manifest : undefined,
    verifiedAt: verified?.at ?? null,
    ahead: isAhead(id),
  };
}

/** @throws PlatformError BACKUP_UNKNOWN */
export async function findBackup(
  folder: string,
  kind: Manifest["kind"],
  id: string | undefined,
): Promise<Backup> {
  const backups = (await listBackups(folder)).filter((backup) => backup.kind === kind);
  const found = id === undefined ? backups[0] : backups.find((backup) => backup.id === id);
  if (found !== undefined) {
    return found;
  }
  const what = `there is no ${id === undefined ? kind : `${kind} ${id}`} in ${folder}.`;
  throw new BackupError("BACKUP_UNKNOWN", what, { hint: "List them: scripts/restore.sh --list." });
}

/** Remembers, beside the files that it vouches for, that a backup was restored and found equal. */
export async function markVerified(backup: Backup): Promise<void> {
  const file = join(backup.path, VERIFIED);
  // Others may prove the same backup at the same time.
  const written = `${file}.${process.pid}.new`;
  try {
    await writeFile(written, `${JSON.stringify({ at: new Date().toISOString() })}\n`, { mode: 0o600 });
    await rename(written, file);
  } catch (error) {
    await rm(written, { force: true }).catch(() => undefined);
    throw error;
  }
}
