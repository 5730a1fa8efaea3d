import { messageOf } from "../../lib/errors.js";
import type { Logger } from "../../lib/observability/log.js";
import { BackupError, withCode } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { type Address, addressOf, withSession } from "./address.js";
import type { Mismatch } from "./compare.js";
import { createDatabaseLike, dropDatabase, MAINTENANCE } from "./database.js";
import { type Drill, recordDrill } from "./history.js";
import { withLock } from "./lock.js";
import { type OpenDump, requireIntact, withOpenDump } from "./open_dump.js";
import { execute, postgresTool, serverMajor } from "./postgres_tool.js";
import { describeMismatch, failureOf, restoreInto } from "./restore_into.js";
import { withScratchCluster } from "./scratch_cluster.js";
import { type Backup, findBackup, lockFile, markVerified } from "./store.js";

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
  const folder = settings.BACKUP_DIR;
  // From here on nobody may take away what is looked at.
  return withLock(lockFile(folder), "shared", async () =>
    drillOne(settings, logger, await findBackup(folder, "dump", options.id), options),
  );
}

async function drillOne(
  settings: BackupSettings,
  logger: Logger,
  backup: Backup,
  { place, signal }: DrillOptions,
): Promise<PassedDrill> {
  const { id } = backup;
  const begun = { backup: id, place, startedAt: new Date() };
  const started = performance.now();
  const record = async (result: Omit<Drill, keyof typeof begun | "tookMs">): Promise<Drill> => {
    const entry = { ...begun, tookMs: Math.round(performance.now() - started), ...result };
    await recordDrill(settings, logger, entry);
    return entry;
  };
  try {
    const intact = await requireIntact(settings.BACKUP_DIR, "dump", id);
    const { named, ...times } = await withOpenDump(settings, intact, signal, (dump) =>
      place === "cluster"
        ? withScratchCluster(dump, signal, (server) =>
            verifyRestore(settings, server, dump, "template0", signal),
          )
        : verifyRestore(settings, addressOf(settings, "admin"), dump, "payments_scratch", signal),
    );
    const notMarked = await markVerified(backup).then(() => null, messageOf);
    const passed = await record({ ...times, differences: named.length, failure: null });
    if (named.length > 0) {
      const differences = named.map(describeMismatch);
      logger.warn({ differences }, `${id}: ${named.length} things do not come back as they were`);
    }
    return { ...passed, named, notMarked };
  } catch (error) {
    const differences = error instanceof RestoreMismatch ? error.differences : 0;
    await record({ restoreMs: null, verifyMs: null, differences, failure: messageOf(error) });
    throw withCode(error, "RESTORE_FAILED", `${id} could not be verified`);
  }
}

class RestoreMismatch extends BackupError {
  readonly differences: number;

  constructor(message: string, differences: number) {
    super("RESTORE_MISMATCH", message);
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
  const { id } = dump.backup;
  return withSession({ ...server, database: MAINTENANCE }, async (maintenance) => {
    const database = `drill_${id.slice(5, 24).toLowerCase()}_${process.pid}`;
    const address = { ...server, database };
    try {
      await createDatabaseLike(maintenance, database, dump.manifest, template);
      const restored = await restoreInto(settings, address, dump, signal);
      const { restoreMs, verifyMs, differences } = restored;
      const wrong = failureOf(id, restored);
      if (wrong !== undefined) {
        throw new RestoreMismatch(wrong.message, differences.length);
      }
      const started = performance.now();
      if (template === "template0") {
        await withSession(address, (pool) => pool.query(MAKE_AMCHECK));
      }
      const pgAmcheck = await postgresTool("pg_amcheck", await serverMajor(maintenance));
      const args = [`--jobs=${settings.BACKUP_JOBS}`, "--no-password", database];
      // Exits with 2 when it finds damage, and with 1 when it cannot look.
      await execute(pgAmcheck, args, { address, signal });
      return { restoreMs, verifyMs: verifyMs + Math.round(performance.now() - started), named: differences };
    } finally {
      await dropDatabase(maintenance, database);
    }
  });
}

/** payments_scratch, the other template, has it. */
const MAKE_AMCHECK =
  "CREATE SCHEMA IF NOT EXISTS amcheck; CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA amcheck";
