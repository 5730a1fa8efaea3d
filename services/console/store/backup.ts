import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";

export interface BackupRow {
  readonly id: string;
  readonly kind: "dump" | "base";
  readonly state: "completed" | "failed";
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly bytes: bigint | null;
  readonly rows: bigint | null;
  readonly failure: string | null;
}

/** Newest first. Backups are few: one or two a day. */
export async function listBackups(db: Queryable, limit: number): Promise<readonly BackupRow[]> {
  const { rows } = await db.query<BackupRow>({
    name: "console_backups",
    text: `SELECT backup_id AS id, kind, state, started_at AS "startedAt", finished_at AS "finishedAt", bytes, row_count AS rows, failure
           FROM ops.console_backup ORDER BY finished_at DESC, backup_id LIMIT $1`,
    values: [limit],
  });
  return rows;
}

export interface DrillRow {
  readonly id: bigint;
  readonly backupId: string;
  readonly place: "database" | "cluster";
  readonly state: "passed" | "failed";
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly restoreMs: number | null;
  readonly verifyMs: number | null;
  readonly differences: number;
  readonly failure: string | null;
}

/** Newest first. */
export async function listDrills(db: Queryable, limit: number): Promise<readonly DrillRow[]> {
  const { rows } = await db.query<DrillRow>({
    name: "console_drills",
    text: `SELECT drill_id AS id, backup_id AS "backupId", place, state, started_at AS "startedAt", finished_at AS "finishedAt",
                  restore_ms AS "restoreMs", verify_ms AS "verifyMs", differences, failure
           FROM ops.console_drill ORDER BY drill_id DESC LIMIT $1`,
    values: [limit],
  });
  return rows;
}

export interface ArchivingRow {
  readonly archivedAt: Date | null;
  readonly failures: bigint;
}

export async function readArchiving(db: Queryable): Promise<ArchivingRow> {
  const { rows } = await db.query<ArchivingRow>({
    name: "console_archiving",
    text: `SELECT last_archived_time AS "archivedAt", failed_count AS failures FROM pg_stat_archiver`,
  });
  return one(rows);
}
