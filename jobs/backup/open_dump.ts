import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { codeOf, messageOf } from "../../lib/errors.js";
import { BackupError } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { DUMP, GLOBALS } from "./dump.js";
import { decryptFiles } from "./encryption.js";
import { checkSums, listFiles, MANIFEST } from "./files.js";
import { markUnfinished, removeMarked } from "./leftovers.js";
import type { BaseManifest, DumpManifest, Manifest } from "./manifest.js";
import { BASE_FILES, type Backup, findBackup } from "./store.js";

/** A dump that is what was written, readable by pg_restore. */
export interface OpenDump {
  readonly backup: Backup;
  readonly manifest: DumpManifest;
  /** What pg_restore takes. */
  readonly dump: string;
  readonly globals: string;
}

/** @throws PlatformError BACKUP_UNKNOWN, BACKUP_DAMAGED */
export async function requireIntact(
  folder: string,
  kind: "dump",
  id?: string,
): Promise<{ backup: Backup; manifest: DumpManifest }>;
export async function requireIntact(
  folder: string,
  kind: "base",
  id?: string,
): Promise<{ backup: Backup; manifest: BaseManifest }>;
export async function requireIntact(
  folder: string,
  kind: Manifest["kind"],
  id?: string,
): Promise<{ backup: Backup; manifest: Manifest }> {
  const backup = await findBackup(folder, kind, id);
  const problems = await checkSums(backup.path, kind === "base" ? [BASE_FILES] : []);
  if (backup.manifest === undefined) {
    problems.push(`${MANIFEST} is not one of ours`);
  }
  if (backup.manifest === undefined || problems.length > 0) {
    throw new BackupError("BACKUP_DAMAGED", `${backup.id}: ${problems.join("; ")}.`, {
      hint: "Take an earlier one: scripts/restore.sh --list.",
    });
  }
  return { backup, manifest: backup.manifest };
}

/**
 * Opens a dump whose sums have been checked, for the length of `work`. An encrypted one is decrypted beside itself, or in the
 * folder of TMPDIR when that is read-only, into a folder of this user's that is removed at the end.
 *
 * @throws PlatformError BACKUP_LOCKED, TOOL_MISSING
 */
export async function withOpenDump<T>(
  settings: BackupSettings,
  { backup, manifest }: { backup: Backup; manifest: DumpManifest },
  signal: AbortSignal | undefined,
  work: (dump: OpenDump) => Promise<T>,
): Promise<T> {
  const open = (folder: string): OpenDump => ({
    backup,
    manifest,
    dump: join(folder, DUMP),
    globals: join(folder, GLOBALS),
  });
  if (manifest.encryption === null) {
    return work(open(backup.path));
  }
  const plain = await makePlain(backup).catch((cause: unknown) => {
    throw new BackupError(
      "RESTORE_FAILED",
      `there is no place for the decrypted files: ${messageOf(cause)}.`,
      { cause },
    );
  });
  try {
    await markUnfinished(plain);
    const files = (await listFiles(backup.path)).filter((file) =>
      file.endsWith(`.${manifest.encryption?.tool}`),
    );
    if (manifest.format === "directory") {
      await mkdir(join(plain, DUMP), { mode: 0o700 });
    }
    await decryptFiles(backup.path, files, plain, manifest.encryption, settings, signal);
    return await work(open(plain));
  } finally {
    await removeMarked(plain);
  }
}

async function makePlain(backup: Backup): Promise<string> {
  // A later backup takes it away if we are killed.
  const plain = join(dirname(backup.path), `.${backup.id}.${process.pid}.partial`);
  return mkdir(plain, { mode: 0o700 }).then(
    () => plain,
    (error: unknown) => {
      if (!["EROFS", "EACCES", "EPERM"].includes(codeOf(error) ?? "")) {
        throw error;
      }
      return mkdtemp(join(tmpdir(), "payments-restore-"));
    },
  );
}
