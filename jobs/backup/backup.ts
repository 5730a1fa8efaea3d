import { mkdir } from "node:fs/promises";
import { codeOf } from "../../lib/errors.js";
import type { Logger } from "../../lib/observability/log.js";
import { withCode } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { copyCluster } from "./base_backup.js";
import { type DumpOptions, dumpDatabase } from "./dump.js";
import { recordBackup } from "./history.js";
import { cleanFolder } from "./leftovers.js";
import { withLock } from "./lock.js";
import type { Manifest } from "./manifest.js";
import { madeBefore, warnOfAhead } from "./newest.js";
import { idOf, listBackups, lockFile, writeBackup } from "./store.js";

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
  const folder = settings.BACKUP_DIR;
  const started = performance.now();
  const id = idOf(kind, new Date());
  const entry = () => ({ id, kind, tookMs: performance.now() - started });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw withCode(error, "BACKUP_FAILED", `${folder} cannot be made`, "Set BACKUP_DIR.");
    });
    return await withLock(lockFile(folder), "exclusive", async () => {
      await cleanFolder(folder, logger);
      const there = await listBackups(folder);
      warnOfAhead(there, logger);
      const madeAfter = madeBefore(there, id);
      const manifest = await writeBackup(folder, id, async (partial) => {
        const startedAt = new Date().toISOString();
        const made =
          kind === "dump"
            ? await dumpDatabase(settings, partial, options)
            : await copyCluster(settings, partial, options.signal);
        const finishedAt = new Date().toISOString();
        const common = { version: 1, id, database: settings.POSTGRES_DB, startedAt, finishedAt } as const;
        return { ...common, ...made, ...(madeAfter.length > 0 && { madeAfter }) };
      });
      await recordBackup(settings, logger, { ...entry(), manifest });
      const { leftOut = [] } = manifest.kind === "dump" ? manifest : {};
      if (leftOut.length > 0) {
        // Now, when there is still time to do something about it, not when it is needed.
        logger.warn({ leftOut }, `${id}: ${leftOut.length} things will not come back as they were`);
      }
      return manifest;
    });
  } catch (error) {
    // Whoever holds the lock makes its own entry.
    if (codeOf(error) !== "BACKUP_BUSY") {
      await recordBackup(settings, logger, { ...entry(), failure: error });
    }
    throw withCode(error, "BACKUP_FAILED", `no ${kind} was made`, "Earlier backups are untouched.");
  }
}
