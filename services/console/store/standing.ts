import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { type BackupRow, type DrillRow, listBackups, listDrills } from "./backup.js";

export interface WorkerRow {
  readonly id: string;
  readonly startedAt: Date;
  readonly heartbeatAt: Date;
  /** When it was read. */
  readonly silentMs: number;
  readonly reaped: boolean;
}

export interface ServiceRow {
  readonly service: string;
  readonly alerts: bigint;
}

interface FiguresRow {
  readonly outboxEvents: bigint;
  readonly outboxOldestS: number;
  readonly openPagos: bigint;
  readonly parked: bigint;
  readonly appliedAt: Date;
  readonly openWindows: bigint;
  readonly pendingWindows: bigint;
  readonly unknownWindows: bigint;
  readonly alertsLastHour: bigint;
  readonly auditAt: Date | null;
  readonly differences: bigint | null;
}

/** How it stands with what changes slowly. */
export interface Standing extends FiguresRow {
  readonly workers: readonly WorkerRow[];
  readonly services: readonly ServiceRow[];
  readonly backup: BackupRow | undefined;
  readonly drill: DrillRow | undefined;
}

/** Counts outboxes and windows that are open, which are short unless something is wrong: so it is asked less often. */
export async function readStanding(db: Queryable): Promise<Standing> {
  const { rows: figures } = await db.query<FiguresRow>({
    name: "console_figures",
    text: `
      SELECT outbox.*, audit.*, r.parked_payouts AS parked, s.applied_at AS "appliedAt",
             (SELECT sum(pagos)::bigint FROM payouts.open_state) AS "openPagos",
             w.open_windows AS "openWindows", w.pending_windows AS "pendingWindows", w.unknown_windows AS "unknownWindows",
             w.alerts_last_hour AS "alertsLastHour"
      FROM (SELECT coalesce(sum(waiting_events), 0)::bigint AS "outboxEvents", coalesce(max(oldest_age_seconds), 0) AS "outboxOldestS"
            FROM ops.outbox_state()) outbox
      CROSS JOIN reports.served s CROSS JOIN reports.state r CROSS JOIN monitor.state w
      LEFT JOIN (SELECT finished_at AS "auditAt", differences FROM ops.console_audit_result) audit ON true`,
  });
  const { rows: workers } = await db.query<WorkerRow>({
    name: "console_workers",
    text: `SELECT worker_id AS id, started_at AS "startedAt", heartbeat_at AS "heartbeatAt", reaped,
                  1000 * extract(epoch FROM now() - heartbeat_at)::float8 AS "silentMs"
           FROM etl.console_worker ORDER BY started_at, worker_id LIMIT 100`,
  });
  const { rows: services } = await db.query<ServiceRow>({
    name: "console_services",
    text: "SELECT service, alerts FROM monitor.service_state ORDER BY service",
  });
  const [backup] = await listBackups(db, 1);
  const [drill] = await listDrills(db, 1);
  return { ...one(figures), workers, services, backup, drill };
}
