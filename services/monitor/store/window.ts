import { instantOf } from "../../../lib/http/page.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { State } from "../domain/window.js";

export interface WindowRow {
  readonly id: bigint;
  readonly windowUuid: string;
  readonly service: string;
  readonly state: State;
  readonly expected: number;
  readonly received: number;
  /** Null: nobody knows any more, as reports are kept for less long than windows. */
  readonly late: number | null;
  readonly errors: number;
  readonly conflicts: number;
  readonly intervalMs: number;
  readonly windowFrom: string;
  readonly windowTo: string;
  readonly deadline: string;
  readonly closedAt: string | null;
  readonly createdAt: string;
}

const COLUMNS = `id, window_uuid AS "windowUuid", service, state, due AS expected, received_reports AS received, late_reports AS late,
  error_reports AS errors, conflicts, interval_ms AS "intervalMs", ${instantOf("window_from")} AS "windowFrom",
  ${instantOf("window_to")} AS "windowTo", ${instantOf("deadline")} AS deadline, ${instantOf("closed_at")} AS "closedAt",
  ${instantOf("created_at")} AS "createdAt"`;

export interface WindowFilter {
  readonly service: string | undefined;
  readonly state: State | undefined;
  /** Older ones than this. */
  readonly before: bigint | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listWindows(
  db: Queryable,
  { service, state, before, limit }: WindowFilter,
): Promise<readonly WindowRow[]> {
  const { rows } = await db.query<WindowRow>({
    name: `monitor_list${service === undefined ? "" : "_service"}${state === undefined ? "" : "_state"}`,
    text: `SELECT ${COLUMNS} FROM monitor.window_count
           WHERE id < coalesce($1::bigint, 9223372036854775807)
             AND ${service === undefined ? "$2::text IS NULL" : "service = $2"}
             AND ${state === undefined ? "$3::text IS NULL" : "state = $3"}
           ORDER BY id DESC LIMIT $4`,
    values: [before, service, state, limit],
  });
  return rows;
}

/** @returns a window and the reports that lack, in their order; null: nobody knows any more */
export async function findWindow(
  db: Queryable,
  windowUuid: string,
): Promise<{ readonly window: WindowRow; readonly missing: readonly number[] | null } | undefined> {
  const { rows } = await db.query<WindowRow & { readonly missing: readonly number[] | null }>({
    name: "monitor_find",
    text: `SELECT ${COLUMNS},
                  CASE WHEN late_reports IS NOT NULL THEN
                    ARRAY(SELECT seq FROM generate_series(1, due) AS s (seq)
                          WHERE NOT EXISTS (SELECT FROM monitor.report r WHERE r.window_uuid = w.window_uuid AND r.seq = s.seq)
                          ORDER BY seq) END AS missing
           FROM monitor.window_count w WHERE window_uuid = $1`,
    values: [windowUuid],
  });
  const [row] = rows;
  if (row === undefined) {
    return undefined;
  }
  const { missing, ...window } = row;
  return { window, missing };
}
