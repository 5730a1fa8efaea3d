import { messageOf, type PlatformError } from "../../lib/errors.js";
import { connect, type Pool } from "../../lib/postgres/pool.js";
import { quoteName } from "../../lib/postgres/sql.js";
import { BackupError, connectionsHint } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { type Address, withSession, withSessions } from "./address.js";
import { compareContent, type Mismatch } from "./compare.js";
import { readContent } from "./content.js";
import { applySettings, attempt } from "./database_settings.js";
import type { DumpManifest } from "./manifest.js";
import type { OpenDump } from "./open_dump.js";
import { putBack } from "./pg_restore.js";

/** A database that a dump was restored into. */
export interface Restored {
  readonly restoreMs: number;
  readonly verifyMs: number;
  readonly differences: readonly Mismatch[];
  /** What pg_restore said that it had to leave out. */
  readonly complaint: string | null;
}

/**
 * Restores a dump into an empty database and compares the two.
 *
 * @param address of the database, as a member of payments_owner.
 */
export async function restoreInto(
  settings: BackupSettings,
  address: Address,
  dump: Pick<OpenDump, "manifest" | "dump">,
  signal: AbortSignal | undefined,
): Promise<Restored> {
  return withSessions(address, settings.BACKUP_JOBS + 1, async (pool) => {
    const started = performance.now();
    const jobs = settings.BACKUP_JOBS;
    const complaint = await putBack(pool, address, dump, { jobs, signal });
    // A dump carries no statistics, and the first plans without them would be bad ones. The sample is that of etl.index_leaf.
    await pool.query("SET default_statistics_target = 25; ANALYZE");
    const restored = performance.now();
    await settle(address, pool, dump.manifest);
    const { definitions } = dump.manifest;
    const found = await readContent(pool, jobs, { definitions }).catch((cause: unknown) => {
      throw complaint === null ? cause : new Error(`${complaint}; then: ${messageOf(cause)}`, { cause });
    });
    return {
      restoreMs: Math.round(restored - started),
      verifyMs: Math.round(performance.now() - restored),
      differences: compareContent(dump.manifest, found, complaint !== null),
      complaint,
    };
  });
}

/** Gives a database its settings, unless they keep everybody out, as a library does that this server lacks. */
async function settle(address: Address, pool: Pool, manifest: DumpManifest) {
  const { connectionLimit = -1 } = manifest;
  const database = quoteName(address.database);
  // One connection throughout: the next may be the one that is kept out.
  const client = await connect(pool);
  try {
    await applySettings(client, database, manifest);
    await withSession(address, () => Promise.resolve()).catch(() =>
      client.query(`ALTER DATABASE ${database} RESET ALL`),
    );
    // Not before the restore, which may need more connections at the same time.
    if (connectionLimit >= 0) {
      await attempt(client, `ALTER DATABASE ${database} CONNECTION LIMIT ${connectionLimit}`);
    }
  } finally {
    client.release();
  }
}

export const describeMismatch = ({ what, expected, found }: Mismatch) =>
  `${what}: expected ${expected}, found ${found}`;

/** The error that a restored database is to be thrown away for, if it is: one of the platform's own things is not as it was. */
export function failureOf(id: string, restored: Restored): PlatformError | undefined {
  const { complaint } = restored;
  const differences = restored.differences.filter(({ ours }) => ours);
  if (differences.length === 0) {
    return undefined;
  }
  const shown = differences.slice(0, 5).map(describeMismatch).join("; ");
  const more = differences.length > 5 ? `; and ${differences.length - 5} more` : "";
  // Nothing is said of the backup when it could not be put back, for want of disk or rights.
  if (complaint === null) {
    const what = `${id} does not restore to what its manifest says: ${shown}${more}.`;
    return new BackupError("RESTORE_MISMATCH", what);
  }
  const hint =
    connectionsHint(complaint) ?? "If it lacks rights: restore as a superuser (POSTGRES_ADMIN_USER).";
  const what = `${id} was not restored whole: ${complaint}; ${shown}${more}.`;
  return new BackupError("RESTORE_FAILED", what, { hint });
}
