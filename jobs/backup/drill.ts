import { messageOf, PlatformError } from "../../lib/errors.js";
import type { Logger } from "../../lib/observability/log.js";
import { BackupError } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { type Address, addressOf, withSession } from "./address.js";
import type { Mismatch } from "./compare.js";
import { createDatabaseLike, dropDatabase, MAINTENANCE } from "./database.js";
import { type Drill, recordDrill } from "./history.js";
import { withLock } from "./lock.js";
import { type OpenDump, requireIntact, withOpenDump } from "./open_dump.js";
import { connectionsHint, execute, postgresTool, serverMajor } from "./postgres_tool.js";
import { describeMismatch, failureOf, restoreInto } from "./restore_into.js";
import { withScratchCluster } from "./scratch_cluster.js";
import { type Backup, backupFolder, findBackup, lockFile, markVerified } from "./store.js";

export interface DrillOptions {
  /** The newest when left out. */
  readonly id?: string | undefined;
  readonly place: Drill["place"];
  readonly signal?: AbortSignal | undefined;
}

export interface PassedDrill extends Drill {
  /** What is not as it was, of things that are not the platform's own. */
  readonly named: readonly Mismatch[];
  /** Why the backup could not be marked as verified; null when it was. What has been proven is proven all the same. */
  readonly notMarked: string | null;
}

/**
 * Restores a dump into a scratch database (or a server of its own), compares it with the manifest row by row, object by object,
 * has pg_amcheck look at every table and index, and drops it again. The result goes into ops.restore_drill.
 *
 * @throws PlatformError as restore() does; whatever keeps it from the end is a failed drill.
 */
export async function drill(
  settings: BackupSettings,
  logger: Logger,
  options: DrillOptions,
): Promise<PassedDrill> {
  const folder = backupFolder(settings);
  // From here on nobody may take away what is looked at.
  return withLock(lockFile(folder), "shared", async () =>
    drillOne(settings, logger, folder, await findBackup(folder, "dump", options.id), options),
  );
}

async function drillOne(
  settings: BackupSettings,
  logger: Logger,
  folder: string,
  backup: Backup,
  options: DrillOptions,
): Promise<PassedDrill> {
  const [startedAt, started] = [new Date(), performance.now()];
  const result = () => ({
    backup: backup.id,
    place: options.place,
    startedAt,
    tookMs: Math.round(performance.now() - started),
  });
  try {
    const found = await requireIntact(folder, "dump", backup.id);
    const { named, ...times } = await withOpenDump(settings, found, options.signal, (dump) =>
      options.place === "cluster"
        ? withScratchCluster(dump, options.signal, (address) =>
            verifyRestore(settings, address, dump, "template0", options.signal),
          )
        : verifyRestore(settings, addressOf(settings, "admin"), dump, "payments_scratch", options.signal),
    );
    const passed: Drill = { ...result(), ...times, differences: named.length, failure: null };
    const notMarked = await markVerified(backup).then(
      () => null,
      (error: unknown) => messageOf(error),
    );
    await recordDrill(settings, logger, passed);
    if (named.length > 0) {
      logger.warn(
        { differences: named.map(describeMismatch) },
        `${backup.id}: ${named.length} things do not come back as they were`,
      );
    }
    return { ...passed, named, notMarked };
  } catch (error) {
    const found = error instanceof RestoreMismatch ? error.differences : 0;
    await recordDrill(settings, logger, {
      ...result(),
      restoreMs: null,
      verifyMs: null,
      differences: found,
      failure: messageOf(error),
    });
    if (error instanceof PlatformError) {
      throw error;
    }
    throw new BackupError("RESTORE_FAILED", `${backup.id} could not be verified: ${messageOf(error)}.`, {
      hint: connectionsHint(messageOf(error)),
      cause: error,
    });
  }
}

class RestoreMismatch extends BackupError {
  readonly differences: number;

  constructor(error: PlatformError, differences: number) {
    super("RESTORE_MISMATCH", error.message);
    this.differences = differences;
  }
}

/** @param server where scratch databases may be made; its database is not looked at. */
async function verifyRestore(
  settings: BackupSettings,
  server: Address,
  dump: OpenDump,
  template: Parameters<typeof createDatabaseLike>[3],
  signal: AbortSignal | undefined,
): Promise<{ restoreMs: number; verifyMs: number; named: readonly Mismatch[] }> {
  return withSession({ ...server, database: MAINTENANCE }, async (maintenance) => {
    const address = {
      ...server,
      database: `drill_${dump.backup.id.slice(5, 24).toLowerCase()}_${process.pid}`,
    };
    try {
      await createDatabaseLike(maintenance, address.database, dump.manifest, template);
      const restored = await restoreInto(settings, address, dump, signal);
      const { restoreMs, verifyMs, differences } = restored;
      const wrong = failureOf(dump.backup.id, restored);
      if (wrong !== undefined) {
        throw new RestoreMismatch(wrong, differences.length);
      }
      const started = performance.now();
      if (template === "template0") {
        await withSession(address, (pool) =>
          pool.query(
            "CREATE SCHEMA IF NOT EXISTS amcheck; CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA amcheck",
          ),
        );
      }
      const pgAmcheck = await postgresTool("pg_amcheck", await serverMajor(maintenance));
      // Exits with 2 when it finds damage, and with 1 when it cannot look.
      await execute(pgAmcheck, [`--jobs=${settings.BACKUP_JOBS}`, "--no-password", address.database], {
        address,
        signal,
      });
      return { restoreMs, verifyMs: verifyMs + Math.round(performance.now() - started), named: differences };
    } finally {
      await dropDatabase(maintenance, address.database);
    }
  });
}
