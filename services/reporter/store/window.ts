import type { Queryable } from "../../../lib/postgres/pool.js";
import type { ReportWindow } from "../domain/window.js";

/** Enters windows with their declarations, which are still to be sent. */
export async function openWindows(
  db: Queryable,
  windows: readonly ReportWindow[],
  process: string,
): Promise<void> {
  await db.query({
    name: "reporter_open",
    text: `WITH opened AS (
             INSERT INTO reporter.report_window (window_uuid, service, seed, error_rate, omission_rate, interval_ms, duration_ms,
                                                 window_from, process)
             SELECT *, $9 FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::float8[], $5::float8[], $6::int[], $7::int[],
                                      $8::timestamptz[])
             RETURNING window_uuid, window_from)
           INSERT INTO reporter.tick (window_uuid, seq, status, outcome, ticked_at)
           SELECT window_uuid, 0, 'ok', 'sending', window_from FROM opened`,
    values: [
      windows.map(({ windowUuid }) => windowUuid),
      windows.map(({ service }) => service),
      windows.map(({ seed }) => seed),
      windows.map(({ errorRate }) => errorRate),
      windows.map(({ omissionRate }) => omissionRate),
      windows.map(({ intervalMs }) => intervalMs),
      windows.map(({ durationMs }) => durationMs),
      windows.map(({ windowFrom }) => windowFrom),
      process,
    ],
  });
}

/** Says that a process lives. */
export async function renewProcess(db: Queryable, process: string, leaseMs: number): Promise<void> {
  await db.query({
    name: "reporter_renew",
    text: `INSERT INTO reporter.process (process, leased_until) VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond')
           ON CONFLICT (process) DO UPDATE SET leased_until = excluded.leased_until`,
    values: [process, leaseMs],
  });
}

/** A window whose process died. */
export interface Orphan extends ReportWindow {
  /** Since it was opened, by the database's clock. */
  readonly elapsedMs: number;
  /** Its ticks that have been audited. */
  readonly audited: readonly number[];
}

export interface TakeOptions {
  readonly service: string;
  readonly process: string;
  /** Windows that this process may have opened, for all that it knows. */
  readonly unsure: readonly string[];
  readonly limit: number;
}

/** Takes the windows of a service's dead processes, and those that nobody looks after because their opening was not answered. */
export async function takeOrphans(
  db: Queryable,
  { service, process, unsure, limit }: TakeOptions,
): Promise<readonly Orphan[]> {
  const { rows } = await db.query<Omit<Orphan, "seed"> & { readonly seed: bigint }>({
    name: "reporter_take",
    text: `UPDATE reporter.report_window w SET process = $2
           WHERE w.window_uuid = ANY (ARRAY(
             SELECT o.window_uuid FROM reporter.report_window o
             WHERE o.service = $1 AND o.audited_at IS NULL
               AND (o.window_uuid = ANY ($3::uuid[])
                    OR (o.process <> $2 AND NOT EXISTS (SELECT FROM reporter.process p
                                                        WHERE p.process = o.process AND p.leased_until > clock_timestamp())))
             LIMIT $4 FOR UPDATE SKIP LOCKED))
           RETURNING ${COLUMNS}, (extract(epoch FROM clock_timestamp() - opened_at) * 1000)::float8 AS "elapsedMs",
             ARRAY(SELECT seq FROM reporter.tick t WHERE t.window_uuid = w.window_uuid ORDER BY seq) AS audited`,
    values: [service, process, unsure, limit],
  });
  return rows.map((row) => ({ ...row, seed: Number(row.seed) }));
}

export const COLUMNS = `w.window_uuid AS "windowUuid", w.service, w.seed, w.error_rate AS "errorRate", w.omission_rate AS "omissionRate",
  w.interval_ms AS "intervalMs", w.duration_ms AS "durationMs", w.window_from AS "windowFrom"`;

/** Of a window's ticks, as the contract counts them. */
export interface Stats {
  readonly total: number;
  readonly sent: number;
  readonly omitted: number;
  readonly stalled: number;
  readonly unknown: number;
  readonly errors: number;
  readonly ok: number;
}

export async function statsOf(
  db: Queryable,
  { windowUuid, service }: { readonly windowUuid: string; readonly service: string },
): Promise<Stats | undefined> {
  const { rows } = await db.query<Stats>({
    name: "reporter_stats",
    text: `SELECT count(t.seq)::integer AS total, count(*) FILTER (WHERE outcome = 'sent')::integer AS sent,
                  count(*) FILTER (WHERE outcome = 'omitted')::integer AS omitted,
                  count(*) FILTER (WHERE outcome = 'stalled')::integer AS stalled,
                  count(*) FILTER (WHERE outcome = 'unknown')::integer AS unknown,
                  count(*) FILTER (WHERE status LIKE 'error:%')::integer AS errors,
                  count(*) FILTER (WHERE status = 'ok')::integer AS ok
           FROM reporter.report_window w LEFT JOIN reporter.tick t ON t.window_uuid = w.window_uuid AND t.seq > 0
           WHERE w.window_uuid = $1 AND w.service = $2
           GROUP BY w.window_uuid`,
    values: [windowUuid, service],
  });
  return rows[0];
}
