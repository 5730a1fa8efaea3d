import { messageOf } from "../../lib/errors.js";
import type { Logger } from "../../lib/observability/log.js";
import type { BackupSettings } from "../settings.js";
import { addressOf, withSession } from "./address.js";
import type { Manifest } from "./manifest.js";
import { AHEAD_MS } from "./newest.js";

/**
 * For people and alerts, by the database's clock, as all that they compare it with; ours may be wrong. A backup is none the
 * worse for a history that cannot be written.
 */
export async function recordBackup(
  settings: BackupSettings,
  logger: Logger,
  entry: { id: string; kind: Manifest["kind"]; tookMs: number } & (
    | { manifest: Manifest }
    | { failure: unknown }
  ),
): Promise<void> {
  const manifest = "manifest" in entry ? entry.manifest : undefined;
  const rows = manifest?.kind === "dump" ? manifest.tables.reduce((sum, table) => sum + table.rows, 0) : null;
  await insert(
    settings,
    logger,
    `INSERT INTO ops.backup (backup_id, kind, state, started_at, finished_at, bytes, row_count, failure)
     VALUES ($1, $2, $3, now() - $4 * interval '1 millisecond', now(), $5, $6, $7) RETURNING now() AS at`,
    [
      entry.id,
      entry.kind,
      manifest === undefined ? "failed" : "completed",
      entry.tookMs,
      manifest?.bytes ?? null,
      rows,
      "failure" in entry ? messageOf(entry.failure) : null,
    ],
  );
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

export async function recordDrill(settings: BackupSettings, logger: Logger, drill: Drill): Promise<void> {
  await insert(
    settings,
    logger,
    `INSERT INTO ops.restore_drill
       (backup_id, place, state, started_at, finished_at, restore_ms, verify_ms, differences, failure)
     VALUES ($1, $2, $3, now() - $4 * interval '1 millisecond', now(), $5, $6, $7, $8) RETURNING now() AS at`,
    [
      drill.backup,
      drill.place,
      drill.failure === null ? "passed" : "failed",
      drill.tookMs,
      drill.restoreMs,
      drill.verifyMs,
      drill.differences,
      drill.failure,
    ],
  );
}

async function insert(
  settings: BackupSettings,
  logger: Logger,
  sql: string,
  values: unknown[],
): Promise<void> {
  try {
    const { rows } = await withSession(addressOf(settings, "backup"), (pool) =>
      pool.query<{ at: Date }>(sql, values),
    );
    const aheadMs = Date.now() - (rows[0]?.at.getTime() ?? Number.NaN);
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
