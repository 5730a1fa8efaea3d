import { lstat, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../lib/observability/log.js";
import { UNFINISHED } from "./files.js";

/** Names that only we give: of a backup that is being made or removed, and of one that is being decrypted. */
const OURS = /^(\.(dump|base)-\d{8}T\d{9}Z\.\d+\.partial|(dump|base)-\d{8}T\d{9}Z\.(partial|deleted))$/;

const TEXT = "The backup job makes or removes this folder. If it finds it left over, it removes it.\n";

/** Says in a folder that it is ours to remove, should we be killed. A copy of a finished backup does not say so. */
export async function markUnfinished(folder: string): Promise<void> {
  await writeFile(join(folder, UNFINISHED), TEXT, { mode: 0o600 });
}

/** Removes a folder of ours; its mark last, so that a removal that is killed is known for one. */
export async function removeMarked(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each !== UNFINISHED)) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
  await rm(folder, { recursive: true, force: true });
}

/** Removes a backup, under the exclusive lock. Renamed first: a removal that is killed leaves nothing that looks like a backup. */
export async function removeBackup(path: string): Promise<void> {
  // What somebody has put elsewhere stays there.
  if ((await lstat(path)).isSymbolicLink()) {
    return rm(path);
  }
  // On a full disk there may be no room for the mark; a removal that is killed is left to people then.
  await markUnfinished(path).catch(() => undefined);
  await rename(path, `${path}.deleted`);
  await removeMarked(`${path}.deleted`);
}

/**
 * Takes away what killed backups left: what has both a name and a mark of ours. What has only the name is somebody's, a copy
 * under way perhaps, and stays. Under the exclusive lock.
 */
export async function cleanFolder(folder: string, logger: Logger): Promise<void> {
  for (const name of (await readdir(folder)).filter((each) => OURS.test(each))) {
    const path = join(folder, name);
    if (await isMarked(path)) {
      logger.warn({ folder: path }, `removing ${name}, which a backup that was killed has left`);
      await removeMarked(path);
      continue;
    }
    // Killed before its mark was written, or after it was removed, it left an empty folder.
    await rmdir(path).catch(() =>
      logger.warn(
        { folder: path },
        `${name} has a name of ours but was not left by a backup; it stays, remove it if nobody needs it`,
      ),
    );
  }
}

async function isMarked(path: string): Promise<boolean> {
  // lstat: what a link points to is not ours.
  const [folder, mark] = await Promise.all(
    [path, join(path, UNFINISHED)].map((each) => lstat(each).catch(() => undefined)),
  );
  return folder?.isDirectory() === true && mark?.isFile() === true;
}
