import { messageOf } from "../../lib/errors.js";
import type { Logger } from "../../lib/observability/log.js";
import { one } from "../../lib/postgres/one.js";
import type { BackupSettings } from "../settings.js";
import { addressOf, withSession } from "./address.js";
import { type Manifest, rowsOf } from "./manifest.js";
import { AHEAD_MS } from "./newest.js";

type BackupEntry = { id: string; kind: Manifest["kind"]; tookMs: number } & (
  | { manifest: Manifest }
  | { failure: unknown }
);

export async function recordBackup(settings: BackupSettings, logger: Logger, entry: BackupEntry) {
  const { id, kind, tookMs } = entry;
  const outcome =
    "manifest" in entry
      ? { state: "completed", bytes: entry.manifest.bytes, row_count: rowsOf(entry.manifest) }
      : { state: "failed", failure: messageOf(entry.failure) };
  await insert(settings, logger, "ops.backup", tookMs, { backup_id: id, kind, ...outcome });
}

export interface Drill {
  readonly backup: string;
  readonly place: "database" | "cluster";
  readonly startedAt: Date;
  readonly tookMs: number;
  readonly restoreMs: number | null;
  readonly verifyMs: number | null;
  readonly differences: number;
  readonly failure: string | null;
}

export async function recordDrill(settings: BackupSettings, logger: Logger, drill: Drill) {
  const { backup, place, tookMs, restoreMs, verifyMs, differences, failure } = drill;
  const state = failure === null ? "passed" : "failed";
  const times = { restore_ms: restoreMs, verify_ms: verifyMs };
  const row = { backup_id: backup, place, state, ...times, differences, failure };
  await insert(settings, logger, "ops.restore_drill", tookMs, row);
}

/**
 * For people and alerts, by the database's clock, as all that they compare it with; ours may be wrong. A backup is none the
 * worse for a history that cannot be written.
 */
async function insert(
  settings: BackupSettings,
  logger: Logger,
  table: string,
  tookMs: number,
  row: Readonly<Record<string, unknown>>,
): Promise<void> {
  const places = Object.keys(row).map((_, i) => `$${i + 2}`);
  const sql = `INSERT INTO ${table} (started_at, finished_at, ${Object.keys(row).join(", ")})
    VALUES (now() - $1 * interval '1 millisecond', now(), ${places.join(", ")}) RETURNING now() AS at`;
  try {
    const { rows } = await withSession(addressOf(settings, "backup"), (pool) =>
      pool.query<{ at: Date }>(sql, [tookMs, ...Object.values(row)]),
    );
    const aheadMs = Date.now() - one(rows).at.getTime();
    if (Math.abs(aheadMs) > AHEAD_MS) {
      logger.warn(
        { aheadS: Math.round(aheadMs / 1_000) },
        `this clock is ${aheadMs > 0 ? "ahead of" : "behind"} the database's; backups have their names from it`,
      );
    }
  } catch (error) {
    logger.warn(`the history (schema ops) could not be written: ${messageOf(error)}`);
  }
}
