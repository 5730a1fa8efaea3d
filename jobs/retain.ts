import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../lib/log.js";
import type { Settings } from "../lib/settings/settings.js";
import { withLock } from "./lock.js";
import type { BaseManifest } from "./manifest.js";
import { type Candidate, expired } from "./retention.js";
import {
  type Backup,
  backupFolder,
  cleanFolder,
  listBackups,
  lockFile,
  removeBackup,
  walFolder,
} from "./store.js";

/** Removes the backups whose time is over, and archived log that no base backup needs any more. @returns their ids. */
export async function retain(settings: Settings, logger: Logger): Promise<string[]> {
  const folder = backupFolder(settings);
  return withLock(lockFile(folder), "exclusive", async () => {
    await cleanFolder(folder);
    const backups = await listBackups(folder);
    const ids = new Set(
      expired(backups.filter(({ kind }) => kind === "dump").map(toCandidate), {
        daily: settings.BACKUP_KEEP_DAILY,
        weekly: settings.BACKUP_KEEP_WEEKLY,
        monthly: settings.BACKUP_KEEP_MONTHLY,
      }),
    );
    const bases = backups.filter(({ kind, manifest }) => kind === "base" && manifest !== undefined);
    for (const { id } of bases.slice(settings.BACKUP_KEEP_BASE)) ids.add(id);
    for (const backup of backups.filter(({ id }) => ids.has(id))) {
      logger.info({ backup: backup.id }, "retention: removing a backup");
      await removeBackup(backup);
    }
    const oldest = bases.slice(0, settings.BACKUP_KEEP_BASE).at(-1)?.manifest as BaseManifest | undefined;
    if (oldest !== undefined) await removeWalBefore(walFolder(settings), oldest.startWal);
    return [...ids];
  });
}

/** Segments are named timeline, then position; as pg_archivecleanup does, the timeline is left out of the comparison. */
async function removeWalBefore(folder: string, startWal: string): Promise<void> {
  if (!/^[0-9A-F]{24}$/.test(startWal)) return;
  for (const name of await readdir(folder).catch(() => [])) {
    if (/^[0-9A-F]{24}(\.[0-9A-F]{8}\.backup)?\.gz$/.test(name) && name.slice(8, 24) < startWal.slice(8))
      await rm(join(folder, name));
  }
}

function toCandidate({ id, manifest, verifiedAt }: Backup): Candidate {
  const [, year, month, day, time] = /-(\d{4})(\d\d)(\d\d)T(\d{6})/.exec(id) ?? [];
  return { id, at: `${year}-${month}-${day}T${time}`, sound: manifest !== undefined, verifiedAt };
}
