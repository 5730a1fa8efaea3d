import { messageOf, PlatformError } from "../../lib/errors.js";
import { databaseName } from "../../lib/settings/base.js";
import { BackupError } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { addressOf, withSession } from "./address.js";
import {
  createDatabaseLike,
  databaseExists,
  dropDatabase,
  isEmpty,
  MAINTENANCE,
  renameInto,
  type TargetState,
} from "./database.js";
import { withLock } from "./lock.js";
import type { DumpManifest } from "./manifest.js";
import { requireIntact, withOpenDump } from "./open_dump.js";
import { connectionsHint, serverMajor } from "./postgres_tool.js";
import { failureOf, type Restored, restoreInto } from "./restore_into.js";
import { absentRoles } from "./roles.js";
import { backupFolder, lockFile } from "./store.js";

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
  const folder = backupFolder(settings);
  return withLock(lockFile(folder), "shared", () =>
    withSession({ ...addressOf(settings, "admin"), database: MAINTENANCE }, async (maintenance) => {
      // Under the lock: nobody may take it away between its sums and its restore.
      const found = await requireIntact(folder, "dump", options.id);
      await requireVersion(maintenance, found.manifest);
      const target = await targetState(settings, into, await databaseExists(maintenance, into));
      const rows = found.manifest.tables.reduce((sum, table) => sum + table.rows, 0);
      const plan = {
        backup: found.backup.id,
        takenAt: found.manifest.startedAt,
        into,
        target,
        rows,
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
          const restored = await restoreInto(
            settings,
            { ...addressOf(settings, "admin"), database: beside },
            dump,
            signal,
          );
          const wrong = failureOf(found.backup.id, restored);
          if (wrong !== undefined) {
            throw wrong;
          }
          const replaced = await renameInto(maintenance, beside, into, target, new Date());
          return { ...plan, ...restored, replaced: replaced ?? null };
        } catch (error) {
          await dropDatabase(maintenance, beside).catch(() => undefined);
          if (error instanceof PlatformError) {
            throw error;
          }
          throw new BackupError("RESTORE_FAILED", `${into} is as it was: ${messageOf(error)}.`, {
            hint: connectionsHint(messageOf(error)),
            cause: error,
          });
        }
      });
    }),
  );
}

async function targetState(
  settings: BackupSettings,
  database: string,
  exists: boolean,
): Promise<TargetState> {
  if (!exists) {
    return "missing";
  }
  const address = { ...addressOf(settings, "admin"), database };
  return (await withSession(address, isEmpty)) ? "empty" : "filled";
}

/** A server does not read what a newer one wrote. */
async function requireVersion(
  maintenance: Parameters<typeof serverMajor>[0],
  manifest: DumpManifest,
): Promise<void> {
  const major = await serverMajor(maintenance);
  const made = Math.floor(manifest.serverVersionNum / 10_000);
  if (made > major) {
    throw new BackupError("RESTORE_FAILED", `the backup is of PostgreSQL ${made}, the server of ${major}.`, {
      hint: `Restore into a server of version ${made} or newer.`,
    });
  }
}
