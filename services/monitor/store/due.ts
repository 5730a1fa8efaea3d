import { one } from "../../../lib/postgres/one.js";
import type { Pool, Queryable } from "../../../lib/postgres/pool.js";
import { transaction } from "../../../lib/postgres/pool.js";
import { type Decision, decide } from "../domain/decide.js";
import type { DueWindow } from "../domain/window.js";
import { FLIPS } from "./flip.js";

/** How it stands with windows whose deadline is over. */
export interface Due {
  readonly pending: number;
  readonly unknown: number;
}

export async function countDue(db: Queryable): Promise<Due> {
  const { rows } = await db.query<Due>({
    name: "monitor_count_due",
    text: `SELECT count(*) FILTER (WHERE state = 'OPEN')::integer AS pending,
                  count(*) FILTER (WHERE state = 'UNKNOWN')::integer AS unknown
           FROM monitor.report_window WHERE state IN ('OPEN', 'UNKNOWN') AND deadline <= clock_timestamp()`,
  });
  return one(rows);
}

export interface DecideOptions {
  readonly limit: number;
  /** Whichever come, in place of the oldest. */
  readonly anyOrder?: boolean;
  readonly webhook: boolean;
}

/**
 * Decides windows of which nothing can be on its way any more; passes over what others lock.
 *
 * A window is locked before its reports are counted, by a statement that begins after that: who enters a report locks the window too,
 * so what is counted is all that came in time. What was in the queue, and who held what, is asked in the locking statement: until it is
 * counted a report can only have arrived.
 */
export async function decideDue(
  pool: Pool,
  { limit, anyOrder = false, webhook }: DecideOptions,
): Promise<readonly Decision[]> {
  return transaction(pool, async (tx) => {
    const { rows: locked } = await tx.query<{ windowUuid: string }>({
      name: anyOrder ? "monitor_lock_any_due" : "monitor_lock_due",
      text: `SELECT window_uuid AS "windowUuid" FROM monitor.report_window
             WHERE state IN ('OPEN', 'UNKNOWN') AND deadline <= (SELECT monitor.passed())
               AND window_uuid NOT IN (SELECT unnest(held_windows) FROM monitor.lease WHERE ends_at > statement_timestamp())
             ORDER BY ${anyOrder ? "random()" : "deadline"} LIMIT $1 FOR UPDATE SKIP LOCKED`,
      values: [limit],
    });
    if (locked.length === 0) {
      return [];
    }
    const { rows: due } = await tx.query<DueWindow>({
      name: "monitor_count_reports",
      text: `SELECT w.window_uuid AS "windowUuid", coalesce(w.last_seq, w.expected) AS due, r.seqs, r.errors
             FROM monitor.report_window w
             CROSS JOIN LATERAL (SELECT coalesce(array_agg(seq), '{}') AS seqs, count(*) FILTER (WHERE NOT ok)::integer AS errors
                                 FROM monitor.report
                                 WHERE window_uuid = w.window_uuid AND seq <= coalesce(w.last_seq, w.expected)) r
             WHERE w.window_uuid = ANY ($1::uuid[])`,
      values: [locked.map(({ windowUuid }) => windowUuid)],
    });
    const decisions = due.map(decide);
    await tx.query({
      name: "monitor_decide",
      text: DECIDE,
      values: [
        decisions.map(({ windowUuid }) => windowUuid),
        decisions.map(({ state }) => state),
        decisions.map(({ received }) => received),
        decisions.map(({ errors }) => errors),
        webhook,
      ],
    });
    return decisions;
  });
}

/** Says of windows that have waited for so long that nobody knows. @returns how many */
export async function giveUpKnowing(
  db: Queryable,
  { afterS, webhook }: { readonly afterS: number; readonly webhook: boolean },
): Promise<number> {
  const { rowCount } = await db.query({ name: "monitor_unknown", text: UNKNOWN, values: [afterS, webhook] });
  return rowCount ?? 0;
}

const DECIDE = `
  WITH changed AS (
    UPDATE monitor.report_window w
    SET state = d.state, received = d.received, errors = d.errors, closed_at = w.deadline, decided_at = clock_timestamp()
    FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[]) AS d (window_uuid, state, received, errors)
    WHERE w.window_uuid = d.window_uuid AND w.state IN ('OPEN', 'UNKNOWN')
    RETURNING w.*, $5::boolean AS tells
  ), ${FLIPS}`;

const UNKNOWN = `
  WITH changed AS (
    UPDATE monitor.report_window SET state = 'UNKNOWN'
    WHERE window_uuid = ANY (ARRAY(
      SELECT window_uuid FROM monitor.report_window
      WHERE state = 'OPEN' AND deadline <= clock_timestamp() - make_interval(secs => $1)
      ORDER BY deadline LIMIT 1000 FOR UPDATE SKIP LOCKED))
    RETURNING *, $2::boolean AS tells
  ), ${FLIPS}`;
