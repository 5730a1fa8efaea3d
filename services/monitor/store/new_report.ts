import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Report } from "../../contracts/report.js";
import { FLIPS } from "./flip.js";

/** What became of a report; `declared`: it was none, but said that its window was opened. */
export type Entered = "received" | "late" | "duplicate" | "conflict" | "declared";

interface EnteredRow {
  readonly outcome: Entered;
  /** Its window was an alert, and may be none any more. */
  readonly alerted: boolean;
}

export interface EnterOptions {
  readonly graceMs: number;
  /** Whether a webhook tells of it. */
  readonly webhook: boolean;
}

/**
 * Enters reports and the windows that they tell of, in no transaction; each twice is as once. The first word of a window is its
 * schedule, and what says otherwise is kept aside.
 *
 * @returns what became of each, in their order
 */
export async function enterReports(
  db: Queryable,
  reports: readonly Report[],
  { graceMs, webhook }: EnterOptions,
): Promise<readonly Entered[]> {
  const { rows } = await db.query<EnteredRow>({
    name: "monitor_enter",
    text: ENTER,
    values: [
      reports.map((each) => each.window_uuid),
      reports.map((each) => each.service),
      reports.map((each) => each.seq),
      reports.map((each) => each.status === "ok"),
      reports.map((each) => each.error_message ?? null),
      reports.map((each) => each.report_timestamp),
      reports.map((each) => each.window_from),
      reports.map((each) => each.window_to),
      reports.map((each) => each.interval_ms),
      reports.map((each) => each.expected_reports),
      reports.map(remainingMs),
      reports.map((each) => each.last === true),
      reports.map((each) => JSON.stringify(each)),
      graceMs,
    ],
  });
  const alerted = reports.filter((_, i) => rows[i]?.alerted).map((each) => each.window_uuid);
  if (alerted.length > 0) {
    // In a statement of its own, which sees what others have entered meanwhile. Who dies before it is told again.
    await db.query({ name: "monitor_resolve", text: RESOLVE, values: [[...new Set(alerted)], webhook] });
  }
  return rows.map(({ outcome }) => outcome);
}

/**
 * Until its last report must have been sent: what its sender says, within what its schedule allows, so that neither a clock that is
 * wrong nor a lie holds it open; and an interval, since a tick may be late until the next one were due.
 */
function remainingMs({ remaining_ms, interval_ms, expected_reports, seq, last }: Report): number {
  const most = (expected_reports + 1) * interval_ms;
  if (last === true) {
    return Math.min(most, remaining_ms);
  }
  const least = (expected_reports - seq - 1) * interval_ms;
  return Math.max(least, Math.min(most, remaining_ms)) + interval_ms;
}

/**
 * Locks each window in the order of their ids by updating it: what is entered while somebody decides waits, and is late then. A deadline
 * moves only by what is worth an index entry.
 */
const ENTER = `
  WITH told AS (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::int[], $4::boolean[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[],
                $9::int[], $10::int[], $11::int[], $12::boolean[], $13::jsonb[]) WITH ORDINALITY
      AS t (window_uuid, service, seq, ok, error_message, reported_at, window_from, window_to,
            interval_ms, expected, remaining_ms, last, report, place)
  ), first AS (
    SELECT DISTINCT ON (window_uuid) window_uuid, service, window_from, window_to, interval_ms, expected
    FROM told ORDER BY window_uuid, place
  ), asked AS (
    SELECT f.*, (SELECT min(t.remaining_ms) FROM told t WHERE t.window_uuid = f.window_uuid
                   AND (t.service, t.interval_ms, t.expected) = (f.service, f.interval_ms, f.expected)) AS remaining_ms,
           (SELECT min(t.seq) FROM told t WHERE t.window_uuid = f.window_uuid AND t.last
                   AND (t.service, t.interval_ms, t.expected) = (f.service, f.interval_ms, f.expected)) AS last_seq
    FROM first f
    ORDER BY window_uuid
  ), met AS (
    INSERT INTO monitor.report_window AS w (window_uuid, service, window_from, window_to, interval_ms, expected, last_seq, deadline)
    SELECT window_uuid, service, window_from, window_to, interval_ms, expected, last_seq,
           clock_timestamp() + (remaining_ms + $14::int) * interval '1 millisecond'
    FROM asked
    ON CONFLICT (window_uuid) DO UPDATE
    SET deadline = CASE WHEN w.decided_at IS NULL AND excluded.deadline < w.deadline - interval '50 milliseconds'
                             AND (w.service, w.interval_ms, w.expected) = (excluded.service, excluded.interval_ms, excluded.expected)
                        THEN excluded.deadline ELSE w.deadline END,
        last_seq = CASE WHEN w.decided_at IS NULL
                             AND (w.service, w.interval_ms, w.expected) = (excluded.service, excluded.interval_ms, excluded.expected)
                        THEN least(w.last_seq, excluded.last_seq) ELSE w.last_seq END
    RETURNING w.window_uuid, w.service, w.interval_ms, w.expected, w.state
  ), judged AS (
    SELECT t.*, w.state, (t.service, t.interval_ms, t.expected) = (w.service, w.interval_ms, w.expected) AS agrees
    FROM told t JOIN met w USING (window_uuid)
  ), entered AS (
    INSERT INTO monitor.report (window_uuid, seq, ok, error_message, reported_at, late)
    SELECT DISTINCT ON (window_uuid, seq) window_uuid, seq, ok, error_message, reported_at, state NOT IN ('OPEN', 'UNKNOWN')
    FROM judged WHERE agrees AND seq > 0
    ORDER BY window_uuid, seq, place
    ON CONFLICT DO NOTHING
    RETURNING window_uuid, seq, late
  ), kept AS (
    INSERT INTO monitor.conflict (window_uuid, digest, report)
    SELECT window_uuid, sha256(convert_to(report::text, 'UTF8')), report FROM judged WHERE NOT agrees
    ON CONFLICT DO NOTHING
  )
  SELECT CASE
           WHEN NOT agrees THEN 'conflict'
           WHEN seq = 0 THEN 'declared'
           WHEN late IS NULL OR row_number() OVER (PARTITION BY window_uuid, seq, agrees ORDER BY place) > 1 THEN 'duplicate'
           WHEN late THEN 'late'
           ELSE 'received'
         END AS outcome,
         agrees AND state = 'ALERT' AS alerted
  FROM judged LEFT JOIN entered USING (window_uuid, seq)
  ORDER BY place`;

/** Locks windows in the order of their ids, as ENTER does. */
const RESOLVE = `
  WITH changed AS (
    UPDATE monitor.report_window w SET state = 'RESOLVED_LATE'
    WHERE w.window_uuid = ANY (ARRAY(
        SELECT window_uuid FROM monitor.report_window WHERE window_uuid = ANY ($1::uuid[]) ORDER BY window_uuid FOR UPDATE))
      AND w.state = 'ALERT'
      AND (SELECT count(*) FROM monitor.report r
           WHERE r.window_uuid = w.window_uuid AND r.seq <= coalesce(w.last_seq, w.expected)) >= coalesce(w.last_seq, w.expected)
    RETURNING w.*, $2::boolean AS tells
  ), ${FLIPS}`;
