import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { codeOf } from "../../lib/errors.js";
import { BackupError, withCode } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { DUMP, GLOBALS } from "./dump.js";
import { decryptFiles } from "./encryption.js";
import { checkSums, listFiles, MANIFEST } from "./files.js";
import { markUnfinished, removeMarked } from "./leftovers.js";
import type { DumpManifest, Manifest } from "./manifest.js";
import { BASE_FILES, type Backup, findBackup } from "./store.js";

/** A dump that is what was written, readable by pg_restore. */
export interface OpenDump {
  readonly backup: Backup;
  readonly manifest: DumpManifest;
  /** What pg_restore takes. */
  readonly dump: string;
  readonly globals: string;
}

/** A backup whose manifest can be read. */
interface Intact<Kind extends Manifest["kind"]> {
  readonly backup: Backup;
  readonly manifest: Extract<Manifest, { kind: Kind }>;
}

/** @throws PlatformError BACKUP_UNKNOWN, BACKUP_DAMAGED */
export async function requireIntact<Kind extends Manifest["kind"]>(
  folder: string,
  kind: Kind,
  id?: string,
): Promise<Intact<Kind>> {
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
  return { backup, manifest: backup.manifest as Intact<Kind>["manifest"] };
}

/**
 * Opens a dump whose sums have been checked, for the length of `work`. An encrypted one is decrypted beside itself, or in the
 * folder of TMPDIR when that is read-only, into a folder of this user's that is removed at the end.
 *
 * @throws PlatformError BACKUP_LOCKED, TOOL_MISSING
 */
export async function withOpenDump<T>(
  settings: BackupSettings,
  { backup, manifest }: Intact<"dump">,
  signal: AbortSignal | undefined,
  work: (dump: OpenDump) => Promise<T>,
): Promise<T> {
  const open = (folder: string) =>
    work({ backup, manifest, dump: join(folder, DUMP), globals: join(folder, GLOBALS) });
  const { encryption } = manifest;
  if (encryption === null) {
    return open(backup.path);
  }
  const plain = await makePlain(backup).catch((cause: unknown) => {
    throw withCode(cause, "RESTORE_FAILED", "there is no place for the decrypted files");
  });
  try {
    await markUnfinished(plain);
    const files = (await listFiles(backup.path)).filter((file) => file.endsWith(`.${encryption.tool}`));
    if (manifest.format === "directory") {
      await mkdir(join(plain, DUMP), { mode: 0o700 });
    }
    await decryptFiles(backup.path, files, plain, encryption, settings, signal);
    return await open(plain);
  } finally {
    await removeMarked(plain);
  }
}

async function makePlain(backup: Backup): Promise<string> {
  // A later backup takes it away if we are killed.
  const plain = join(dirname(backup.path), `.${backup.id}.${process.pid}.partial`);
  try {
    await mkdir(plain, { mode: 0o700 });
    return plain;
  } catch (error) {
    if (!["EROFS", "EACCES", "EPERM"].includes(codeOf(error) ?? "")) {
      throw error;
    }
    return mkdtemp(join(tmpdir(), "payments-restore-"));
  }
}
