import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../lib/observability/log.js";
import type { BackupSettings } from "../settings.js";
import { listFiles, MANIFEST, SUMS, sizeOf } from "./files.js";
import { cleanFolder, removeBackup } from "./leftovers.js";
import { withLock } from "./lock.js";
import { isoTimeOf, unplaced, warnOfAhead } from "./newest.js";
import { type Candidate, expired } from "./retention.js";
import { BASE_FILES, type Backup, listBackups, lockFile, walFolder } from "./store.js";

/**
 * Removes the backups whose time is over, and archived log that no base backup needs any more. What cannot be judged stays and
 * is named: one that is not whole or not ours to read (its copying may be under way), and one whose time is still to come.
 *
 * @returns their ids.
 */
export async function prune(settings: BackupSettings, logger: Logger): Promise<string[]> {
  const folder = settings.BACKUP_DIR;
  return withLock(lockFile(folder), "exclusive", async () => {
    await cleanFolder(folder, logger);
    const backups = await listBackups(folder);
    warnOfAhead(backups, logger);
    const judged = await judgeable(backups, logger);
    const dumps = judged.filter(({ kind }) => kind === "dump").map(toCandidate);
    const bases = judged.filter(({ kind }) => kind === "base").map(({ id }) => id);
    const keep = {
      daily: settings.BACKUP_KEEP_DAILY,
      weekly: settings.BACKUP_KEEP_WEEKLY,
      monthly: settings.BACKUP_KEEP_MONTHLY,
    };
    const ids = new Set([...expired(dumps, keep), ...bases.slice(settings.BACKUP_KEEP_BASE)]);
    for (const backup of backups.filter(({ id }) => ids.has(id))) {
      logger.info({ backup: backup.id }, "retention: removing a backup");
      await removeBackup(backup.path);
    }
    await removeWal(
      walFolder(settings),
      backups.filter(({ id }) => !ids.has(id)),
    );
    return [...ids];
  });
}

async function judgeable(backups: readonly Backup[], logger: Logger): Promise<Backup[]> {
  const alone = new Set(unplaced(backups));
  const judged: Backup[] = [];
  for (const backup of backups) {
    if (!(await isWhole(backup))) {
      logger.warn({ backup: backup.id }, `retention: ${backup.id} is not whole; it stays and is not counted`);
    } else if (!alone.has(backup)) {
      judged.push(backup);
    }
  }
  return judged;
}

/** Whether all files are there, in their length: not so when copying was broken off. Far quicker than the sums. */
async function isWhole({ path, kind, manifest }: Backup): Promise<boolean> {
  if (manifest === undefined) {
    return false;
  }
  const counted = kind === "base" ? join(path, BASE_FILES) : path;
  const files = await listFiles(counted).catch(() => []);
  const written = kind === "base" ? files : files.filter((file) => file !== MANIFEST && file !== SUMS);
  return (await sizeOf(counted, written).catch(() => -1)) === manifest.bytes;
}

/** Removes archived log that comes before all that the base backups among those that remain need. */
async function removeWal(folder: string, remaining: readonly Backup[]): Promise<void> {
  const [oldest] = remaining
    .map(({ manifest }) => (manifest?.kind === "base" ? manifest.startWal : ""))
    .filter((startWal) => /^[0-9A-F]{24}$/.test(startWal))
    .map(position)
    .sort();
  if (oldest === undefined) {
    return;
  }
  for (const name of await readdir(folder).catch(() => [])) {
    if (/^[0-9A-F]{24}(\.[0-9A-F]{8}\.backup)?\.gz$/.test(name) && position(name) < oldest) {
      await rm(join(folder, name));
    }
  }
}

/** Segments are named timeline, then position; as pg_archivecleanup does, the timeline is left out of the comparison. */
const position = (segment: string) => segment.slice(8, 24);

const toCandidate = ({ id, verifiedAt }: Backup): Candidate => ({ id, at: isoTimeOf(id), verifiedAt });
