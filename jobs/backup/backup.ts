import { mkdir } from "node:fs/promises";
import { codeOf, messageOf, PlatformError } from "../../lib/errors.js";
import type { Logger } from "../../lib/observability/log.js";
import { BackupError } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { copyCluster } from "./base_backup.js";
import { type DumpOptions, dumpDatabase } from "./dump.js";
import { recordBackup } from "./history.js";
import { cleanFolder } from "./leftovers.js";
import { withLock } from "./lock.js";
import type { DumpManifest, Manifest } from "./manifest.js";
import { madeBefore, warnOfAhead } from "./newest.js";
import { connectionsHint } from "./postgres_tool.js";
import { backupFolder, idOf, listBackups, lockFile, writeBackup } from "./store.js";

/**
 * Makes a backup: a dump of the database, or with kind `base` a copy of the whole cluster. It is in the folder whole or not at
 * all, whatever ends us.
 *
 * @throws PlatformError BACKUP_BUSY, TOOL_MISSING, POSTGRES_*, BACKUP_FAILED, INTERRUPTED
 */
export async function backup(
  settings: BackupSettings,
  logger: Logger,
  kind: Manifest["kind"],
  options: DumpOptions,
): Promise<Manifest> {
  const folder = backupFolder(settings);
  const started = performance.now();
  const id = idOf(kind, new Date());
  const entry = () => ({ id, kind, tookMs: performance.now() - started });
  try {
    await makeFolder(folder);
    return await withLock(lockFile(folder), "exclusive", async () => {
      await cleanFolder(folder, logger);
      const there = await listBackups(folder);
      warnOfAhead(there, logger);
      const madeAfter = madeBefore(there, id);
      const manifest = await writeBackup<Manifest>(folder, id, async (partial) => ({
        ...(kind === "dump"
          ? await dumpDatabase(settings, id, partial, options)
          : await copyCluster(settings, id, partial, options.signal)),
        ...(madeAfter.length > 0 && { madeAfter }),
      }));
      await recordBackup(settings, logger, { ...entry(), manifest });
      if (manifest.kind === "dump") {
        sayLeftOut(logger, manifest);
      }
      return manifest;
    });
  } catch (error) {
    // Whoever holds the lock makes its own entry.
    if (codeOf(error) !== "BACKUP_BUSY") {
      await recordBackup(settings, logger, { ...entry(), failure: error });
    }
    if (error instanceof PlatformError) {
      throw error;
    }
    throw new BackupError("BACKUP_FAILED", `no ${kind} was made: ${messageOf(error)}.`, {
      hint: connectionsHint(messageOf(error)) ?? "Earlier backups are untouched.",
      cause: error,
    });
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new BackupError("BACKUP_FAILED", `${folder} cannot be made: ${messageOf(cause)}.`, {
      hint: "Set BACKUP_DIR.",
      cause,
    });
  });
}

/** Now, when there is still time to do something about it, not when it is needed. */
function sayLeftOut(logger: Logger, { id, leftOut = [] }: DumpManifest): void {
  if (leftOut.length > 0) {
    logger.warn({ leftOut }, `${id}: ${leftOut.length} things will not come back as they were`);
  }
}
