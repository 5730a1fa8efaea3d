import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { CoreError } from "../../lib/core_errors.js";
import { codeOf, messageOf, type PlatformError } from "../../lib/errors.js";
import { firstErrorLine, outputOf } from "../../lib/process/run.js";
import { type BackupCode, BackupError, withCode } from "../errors.js";

type Mode = "exclusive" | "shared";

/** What flock is to end with when somebody else has the lock, and with nothing else. */
const BUSY = 75;

/** Whose lock cannot be taken, for another reason than that somebody has it. */
const FAILED: Record<Mode, BackupCode> = { exclusive: "BACKUP_FAILED", shared: "RESTORE_FAILED" };

/**
 * Holds a lock on a file for the length of `work`: exclusive for what changes the folder, shared for what only reads it. It
 * belongs to the file as we have it open, so the kernel gives it back when we die, however we die.
 *
 * @throws PlatformError BACKUP_BUSY at once when somebody else has it; BACKUP_FAILED or RESTORE_FAILED when it cannot be taken.
 */
export async function withLock<T>(file: string, mode: Mode, work: () => Promise<T>): Promise<T> {
  const handle = await openLock(file, mode);
  try {
    if (handle !== undefined) {
      await lock(handle, file, mode);
    }
    return await work();
  } finally {
    await handle?.close();
  }
}

/** @returns undefined when there is nothing to lock: no file, and no way to make one, so nobody has changed this folder here. */
async function openLock(file: string, mode: Mode): Promise<FileHandle | undefined> {
  const { O_CREAT, O_RDONLY, O_RDWR } = constants;
  // For writing, because NFS grants an exclusive lock to no other.
  const access = mode === "exclusive" ? O_RDWR : O_RDONLY;
  const made = () => open(file, access | O_CREAT, 0o600);
  return open(file, access).catch(async (error: unknown) => {
    if (codeOf(error) !== "ENOENT") {
      throw unusable(mode, error);
    }
    return made().catch((cause: unknown) => {
      // Read-only media, a folder of somebody else's, a full disk: no reason not to restore from it.
      if (mode === "shared") {
        return undefined;
      }
      throw unusable(mode, cause);
    });
  });
}

async function lock(handle: FileHandle, file: string, mode: Mode): Promise<void> {
  const args = [`--${mode}`, "--nonblock", `--conflict-exit-code=${BUSY}`, "3"];
  const child = spawn("flock", args, { stdio: ["ignore", "ignore", "pipe", handle.fd] });
  const output = outputOf(child);
  const [code] = await once(child, "close").catch((cause: unknown) => {
    const hint = "Install: util-linux.";
    throw new CoreError("TOOL_MISSING", `flock cannot be run: ${messageOf(cause)}.`, { hint, cause });
  });
  if (code === 0) {
    return;
  }
  if (code === BUSY) {
    throw new BackupError("BACKUP_BUSY", `another backup, restore or drill holds ${file}.`, {
      hint: `Wait for it, or find it: fuser -v '${file}'.`,
    });
  }
  throw new BackupError(FAILED[mode], `${file} cannot be locked: ${firstErrorLine(output.stderr)}.`, {
    hint: "Set BACKUP_DIR to a folder on a file system that has locks.",
  });
}

function unusable(mode: Mode, cause: unknown): PlatformError {
  const hint =
    {
      EROFS: "Its file system is mounted read-only.",
      EACCES: "Give this user the rights to it, or set BACKUP_DIR.",
      EPERM: "Give this user the rights to it, or set BACKUP_DIR.",
      ENOSPC: "Make room there.",
      EDQUOT: "Make room there.",
    }[codeOf(cause) ?? ""] ?? "Set BACKUP_DIR.";
  const what = mode === "exclusive" ? "BACKUP_DIR cannot be written" : "BACKUP_DIR cannot be read";
  return withCode(cause, FAILED[mode], what, hint);
}
