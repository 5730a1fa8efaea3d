import { one } from "../../lib/postgres/one.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { databaseName } from "../../lib/settings/base.js";
import { BackupError, withCode } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { type Address, addressOf, withSession } from "./address.js";
import { createDatabaseLike, dropDatabase, MAINTENANCE, renameInto, type TargetState } from "./database.js";
import { withLock } from "./lock.js";
import { type DumpManifest, rowsOf } from "./manifest.js";
import { requireIntact, withOpenDump } from "./open_dump.js";
import { majorOf, serverMajor } from "./postgres_tool.js";
import { failureOf, type Restored, restoreInto } from "./restore_into.js";
import { absentRoles } from "./roles.js";
import { lockFile } from "./store.js";

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
  /** Whom the backup gives rights, and this server does not know. */
  readonly absentRoles: readonly string[];
}

export interface RestoreResult extends RestorePlan, Restored {
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
  settings: BackupSettings,
  options: RestoreOptions,
): Promise<RestoreResult | undefined> {
  const { into, signal } = options;
  if (!databaseName.safeParse(into).success) {
    throw new BackupError("RESTORE_REFUSED", `${into} is no name for a database of ours.`);
  }
  const folder = settings.BACKUP_DIR;
  const server = addressOf(settings, "admin");
  return withLock(lockFile(folder), "shared", () =>
    withSession({ ...server, database: MAINTENANCE }, async (maintenance) => {
      // Under the lock: nobody may take it away between its sums and its restore.
      const found = await requireIntact(folder, "dump", options.id);
      await requireVersion(maintenance, found.manifest);
      const target = await targetState(maintenance, { ...server, database: into });
      const plan = {
        backup: found.backup.id,
        takenAt: found.manifest.startedAt,
        into,
        target,
        rows: rowsOf(found.manifest) ?? 0,
        absentRoles: await absentRoles(maintenance, found.manifest),
      };
      if (target === "filled" && !options.force) {
        throw new BackupError("RESTORE_REFUSED", `database ${into} is not empty.`, {
          hint: "Restore into another one (--into), or replace it with --force.",
        });
      }
      options.onPlan(plan);
      if (options.dryRun) {
        return undefined;
      }
      if (target === "filled" && (await options.typeName()) !== into) {
        throw new BackupError("RESTORE_REFUSED", `what was typed is not ${into}; nothing was changed.`);
      }
      return withOpenDump(settings, found, signal, async (dump) => {
        const beside = `restoring_${found.backup.id.slice(5, 24).toLowerCase()}_${process.pid}`;
        try {
          await createDatabaseLike(maintenance, beside, found.manifest, "template0");
          const restored = await restoreInto(settings, { ...server, database: beside }, dump, signal);
          const wrong = failureOf(found.backup.id, restored);
          if (wrong !== undefined) {
            throw wrong;
          }
          const replaced = await renameInto(maintenance, beside, into, target, new Date());
          return { ...plan, ...restored, replaced };
        } catch (error) {
          await dropDatabase(maintenance, beside).catch(() => undefined);
          throw withCode(error, "RESTORE_FAILED", `${into} is as it was`);
        }
      });
    }),
  );
}

async function targetState(maintenance: Pool, target: Address): Promise<TargetState> {
  const named = "SELECT FROM pg_database WHERE datname = $1";
  if ((await maintenance.query(named, [target.database])).rowCount === 0) {
    return "missing";
  }
  const { rows } = await withSession(target, (pool) => pool.query<{ filled: boolean }>(HOLDS_ANYTHING));
  return one(rows).filled ? "filled" : "empty";
}

/** Any table, view or function of somebody's. */
const HOLDS_ANYTHING = `
  SELECT EXISTS (SELECT FROM (SELECT relnamespace FROM pg_class UNION ALL SELECT pronamespace FROM pg_proc) o (schema)
                 JOIN pg_namespace n ON n.oid = o.schema
                 WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema') AS filled`;

/** A server does not read what a newer one wrote. */
async function requireVersion(maintenance: Pool, manifest: DumpManifest): Promise<void> {
  const major = await serverMajor(maintenance);
  const made = majorOf(manifest);
  if (made > major) {
    throw new BackupError("RESTORE_FAILED", `the backup is of PostgreSQL ${made}, the server of ${major}.`, {
      hint: `Restore into a server of version ${made} or newer.`,
    });
  }
}
