import type { Queryable } from "../../../lib/postgres/pool.js";
import type { ReportWindow } from "../contracts/windows.js";
import { byValue, type Walked, walk } from "./walk.js";

export interface WindowRow {
  readonly number: bigint;
  readonly id: string;
  readonly service: string;
  readonly state: ReportWindow["state"];
  readonly from: Date;
  readonly to: Date;
  readonly deadline: Date;
  readonly intervalMs: number;
  readonly expected: number;
  readonly received: number;
  readonly late: number | null;
  readonly errors: number;
  readonly conflicts: number;
  readonly decidedAt: Date | null;
}

const COLUMNS = `id AS number, window_uuid AS id, service, state, window_from AS "from", window_to AS "to", deadline,
  interval_ms AS "intervalMs", due AS expected, received_reports AS received, late_reports AS late, error_reports AS errors, conflicts,
  decided_at AS "decidedAt"`;

/** Greater than all numbers of windows. */
export const LAST_NUMBER = 9_223_372_036_854_775_807n;

export interface WindowFilter {
  readonly service?: string | undefined;
  readonly state?: ReportWindow["state"] | undefined;
  /** The number where the page before ended. */
  readonly before: bigint;
  readonly limit: number;
}

/** What an index of its own leads to. */
const INDEXED = ["OPEN", "UNKNOWN", "ALERT", "RESOLVED_LATE"];

/** Newest first. Reports are counted for the windows that the page shows alone. */
export const listWindows = (
  db: Queryable,
  { service, state, before, limit }: WindowFilter,
): Promise<Walked<WindowRow>> => {
  const { led, filters } = byValue({
    ...{ column: "state", value: state, indexed: INDEXED, isLed: service !== undefined },
  });
  return walk<WindowRow>(db, {
    ...{
      view: "monitor.console_window",
      shown: "monitor.window_count",
      columns: COLUMNS,
      id: "id",
      before,
      limit,
    },
    led: [service === undefined ? undefined : [(place) => `service = ${place}`, service], ...led],
    filters,
  });
};

export async function findWindow(db: Queryable, id: string): Promise<WindowRow | undefined> {
  const { rows } = await db.query<WindowRow>({
    name: "console_window",
    text: `SELECT ${COLUMNS} FROM monitor.window_count WHERE window_uuid = $1`,
    values: [id],
  });
  return rows[0];
}

export interface SlotRow {
  readonly seq: number;
  readonly came: "ok" | "error" | "late" | null;
  readonly told: "sending" | "sent" | "omitted" | "stalled" | "unknown" | null;
}

/** A window's slots in their order, the monitor's book beside the reporter's. @param expected at most 86,400 */
export async function slotsOf(db: Queryable, id: string, expected: number): Promise<readonly SlotRow[]> {
  const { rows } = await db.query<SlotRow>({
    name: "console_slots",
    text: `SELECT s.seq, CASE WHEN r.late THEN 'late' WHEN r.ok THEN 'ok' WHEN NOT r.ok THEN 'error' END AS came, t.outcome AS told
           FROM generate_series(1, $2) AS s (seq)
           LEFT JOIN (SELECT seq, ok, late FROM monitor.console_report WHERE window_uuid = $1) r USING (seq)
           LEFT JOIN (SELECT seq, outcome FROM reporter.console_tick WHERE window_uuid = $1) t USING (seq)
           ORDER BY s.seq`,
    values: [id, expected],
  });
  return rows;
}
