import { messageOf, PlatformError } from "../lib/errors.js";
import { settingsSchema } from "../lib/settings/schema.js";
import type { Settings } from "../lib/settings/settings.js";
import { compareContent, type Difference } from "./compare.js";
import { readContent } from "./content.js";
import { withLock } from "./lock.js";
import type { DumpManifest } from "./manifest.js";
import { type OpenDump, soundBackup, withOpenDump } from "./open.js";
import { backupFolder, lockFile } from "./store.js";
import {
  createLike,
  databaseExists,
  dropDatabase,
  isEmpty,
  MAINTENANCE,
  type TargetState,
  takeName,
} from "./target.js";
import { type Address, addressOf, postgresTool, run, serverMajor, withPool } from "./tools.js";

export interface RestoreOptions {
  /** The newest when left out. */
  readonly id?: string | undefined;
  /** Name of the database to make or replace. */
  readonly into: string;
  /** Replace what is there; `typeName` must then come back with its name. */
  readonly force: boolean;
  readonly typeName: () => Promise<string>;
  /** Told what is about to happen; nothing has been changed yet. */
  readonly onPlan: (plan: RestorePlan) => void;
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface RestorePlan {
  readonly backup: string;
  readonly takenAt: string;
  readonly into: string;
  readonly target: TargetState;
  readonly rows: number;
}

export interface RestoreResult extends RestorePlan {
  readonly restoreMs: number;
  readonly verifyMs: number;
  /** What had the name before, under the name it has now. */
  readonly replaced: string | null;
}

/**
 * Restores a dump into a database: beside it first, compared with the manifest there, and only then under its name. Whatever
 * goes wrong before leaves the target as it was.
 *
 * @returns undefined for a dry run.
 * @throws PlatformError BACKUP_UNKNOWN, BACKUP_DAMAGED, BACKUP_LOCKED, BACKUP_BUSY, TOOL_MISSING, RESTORE_REFUSED,
 *   RESTORE_FAILED, RESTORE_MISMATCH, INTERRUPTED
 */
export async function restore(
  settings: Settings,
  options: RestoreOptions,
): Promise<RestoreResult | undefined> {
  const { into, signal } = options;
  if (!settingsSchema.shape.POSTGRES_DB.safeParse(into).success)
    throw new PlatformError("RESTORE_REFUSED", `${into} is no name for a database of ours.`);
  const folder = backupFolder(settings);
  const found = await soundBackup(folder, "dump", options.id);
  return withLock(lockFile(folder), "shared", () =>
    withPool(settings, { ...addressOf(settings, "admin"), database: MAINTENANCE }, 1, async (maintenance) => {
      await requireVersion(maintenance, found.manifest);
      const target = await targetState(settings, into, await databaseExists(maintenance, into));
      const rows = found.manifest.tables.reduce((sum, table) => sum + table.rows, 0);
      const plan = { backup: found.backup.id, takenAt: found.manifest.startedAt, into, target, rows };
      if (target === "filled" && !options.force) {
        throw new PlatformError("RESTORE_REFUSED", `database ${into} is not empty.`, {
          hint: "Restore into another one (--into), or replace it with --force.",
        });
      }
      options.onPlan(plan);
      if (options.dryRun) return undefined;
      if (target === "filled" && (await options.typeName()) !== into) {
        throw new PlatformError("RESTORE_REFUSED", `what was typed is not ${into}; nothing was changed.`);
      }
      return withOpenDump(settings, found, signal, async (dump) => {
        const beside = `restoring_${found.backup.id.slice(5, 24).toLowerCase()}_${process.pid}`;
        try {
          await createLike(maintenance, beside, found.manifest, "template0");
          const times = await fill(
            settings,
            { ...addressOf(settings, "admin"), database: beside },
            dump,
            signal,
          );
          const { differences, ...took } = times;
          if (differences.length > 0) throw mismatch(found.backup.id, differences);
          const replaced = await takeName(maintenance, beside, into, target, new Date());
          return { ...plan, ...took, replaced: replaced ?? null };
        } catch (error) {
          await dropDatabase(maintenance, beside).catch(() => undefined);
          if (error instanceof PlatformError) throw error;
          throw new PlatformError("RESTORE_FAILED", `${into} is as it was: ${messageOf(error)}.`, {
            cause: error,
          });
        }
      });
    }),
  );
}

/**
 * Restores a dump into an empty database and compares the two.
 *
 * @param address of the database, as a member of payments_owner.
 */
export async function fill(
  settings: Settings,
  address: Address,
  { manifest, dump }: Pick<OpenDump, "manifest" | "dump">,
  signal: AbortSignal | undefined,
): Promise<{ restoreMs: number; verifyMs: number; differences: Difference[] }> {
  return withPool(settings, address, settings.BACKUP_JOBS + 1, async (pool) => {
    const started = performance.now();
    const pgRestore = await postgresTool("pg_restore", await serverMajor(pool));
    await run(
      pgRestore,
      [
        "--exit-on-error",
        "--no-owner",
        "--role=payments_owner",
        `--jobs=${settings.BACKUP_JOBS}`,
        `--dbname=${address.database}`,
        "--no-password",
        dump,
      ],
      // Some 150 statements need not each wait for the disk: the commit that gives the database its name does, and with it all
      // that came before.
      { address, env: { PGOPTIONS: "-c synchronous_commit=off" }, signal },
    );
    // A dump carries no statistics, and the first plans without them would be bad ones. The sample is that of etl.index_leaf.
    await pool.query("SET default_statistics_target = 25; ANALYZE");
    const restored = performance.now();
    const differences = compareContent(manifest, await readContent(pool, settings.BACKUP_JOBS));
    return {
      restoreMs: Math.round(restored - started),
      verifyMs: Math.round(performance.now() - restored),
      differences,
    };
  });
}

export function mismatch(id: string, differences: readonly Difference[]): PlatformError {
  const shown = differences
    .slice(0, 5)
    .map(({ what, expected, found }) => `${what}: expected ${expected}, found ${found}`)
    .join("; ");
  const more = differences.length > 5 ? `; and ${differences.length - 5} more` : "";
  return new PlatformError(
    "RESTORE_MISMATCH",
    `${id} does not restore to what its manifest says: ${shown}${more}.`,
  );
}

async function targetState(settings: Settings, database: string, exists: boolean): Promise<TargetState> {
  if (!exists) return "missing";
  const address = { ...addressOf(settings, "admin"), database };
  return (await withPool(settings, address, 1, isEmpty)) ? "empty" : "filled";
}

/** A server does not read what a newer one wrote. */
async function requireVersion(
  maintenance: Parameters<typeof serverMajor>[0],
  manifest: DumpManifest,
): Promise<void> {
  const major = await serverMajor(maintenance);
  const made = Math.floor(manifest.serverVersionNum / 10_000);
  if (made > major) {
    throw new PlatformError(
      "RESTORE_FAILED",
      `the backup is of PostgreSQL ${made}, the server of ${major}.`,
      {
        hint: `Restore into a server of version ${made} or newer.`,
      },
    );
  }
}
