import { mkdir } from "node:fs/promises";
import { messageOf, PlatformError } from "../lib/errors.js";
import type { Logger } from "../lib/log.js";
import type { Settings } from "../lib/settings/settings.js";
import { copyCluster } from "./base.js";
import { type DumpOptions, dumpDatabase } from "./dump.js";
import { withLock } from "./lock.js";
import type { DumpManifest, Manifest } from "./manifest.js";
import { recordBackup } from "./record.js";
import { backupFolder, cleanFolder, idOf, lockFile, writeBackup } from "./store.js";

/**
 * Makes a backup: a dump of the database, or with kind `base` a copy of the whole cluster. It is in the folder whole or not at
 * all, whatever ends us.
 *
 * @throws PlatformError BACKUP_BUSY, TOOL_MISSING, POSTGRES_*, BACKUP_FAILED, INTERRUPTED
 */
export async function backup(
  settings: Settings,
  logger: Logger,
  kind: Manifest["kind"],
  options: DumpOptions,
): Promise<Manifest> {
  const folder = backupFolder(settings);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new PlatformError("BACKUP_FAILED", `${folder} cannot be made: ${messageOf(cause)}.`, {
      hint: "Set BACKUP_DIR.",
      cause,
    });
  });
  return withLock(lockFile(folder), "exclusive", async () => {
    await cleanFolder(folder);
    const startedAt = new Date();
    const id = idOf(kind, startedAt);
    try {
      const manifest = await writeBackup<Manifest>(folder, id, (partial) =>
        kind === "dump"
          ? dumpDatabase(settings, id, partial, options)
          : copyCluster(settings, id, partial, options.signal),
      );
      await recordBackup(settings, logger, { id, kind, startedAt, manifest });
      if (manifest.kind === "dump") sayLeftOut(logger, manifest);
      return manifest;
    } catch (error) {
      await recordBackup(settings, logger, { id, kind, startedAt, failure: error });
      if (error instanceof PlatformError) throw error;
      throw new PlatformError("BACKUP_FAILED", `no ${kind} was made: ${messageOf(error)}.`, {
        hint: "Earlier backups are untouched.",
        cause: error,
      });
    }
  });
}

/** Now, when there is still time to do something about it, not when it is needed. */
function sayLeftOut(logger: Logger, { id, leftOut = [] }: DumpManifest): void {
  if (leftOut.length > 0)
    logger.warn({ leftOut }, `${id}: ${leftOut.length} things will not come back as they were`);
}
