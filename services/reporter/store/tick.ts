import type { Queryable } from "../../../lib/postgres/pool.js";
import { type ReportWindow, type Tick, WHY } from "../domain/window.js";
import { COLUMNS } from "./window.js";

/** Ticks of a window that are entered together; `last`: with them its audit is complete. */
export interface Beat {
  readonly windowUuid: string;
  readonly ticks: readonly Tick[];
  readonly last: boolean;
}

/**
 * Enters ticks of any number of windows in one statement. One that is to be sent and comes when the next one is due already is stalled:
 * the database itself may have kept it waiting.
 *
 * @returns for each beat the ticks that are to be sent now, as they were entered. One that was entered before and is not known to be
 * sent is among them: the answer may have been lost, and twice is as once
 */
export async function enterTicks(
  db: Queryable,
  beats: readonly Beat[],
): Promise<readonly (readonly Tick[])[]> {
  const ticks = beats.flatMap((beat) => beat.ticks);
  // Rows in one order, so that two processes at the same windows do not wait for each other in a circle.
  const { rows } = await db.query<Tick>({
    name: "reporter_enter_ticks",
    text: `WITH told AS (
             SELECT t.*, t.outcome = 'sending'
                         AND clock_timestamp() > w.opened_at + (t.seq + 1) * w.interval_ms::bigint * interval '1 millisecond' AS late
             FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::timestamptz[])
                    AS t (window_uuid, seq, status, outcome, ticked_at)
             JOIN reporter.report_window w USING (window_uuid)
             ORDER BY window_uuid, seq
           ), entered AS (
             INSERT INTO reporter.tick AS k (window_uuid, seq, status, outcome, ticked_at)
             SELECT window_uuid, seq, CASE WHEN late THEN $7 ELSE status END, CASE WHEN late THEN 'stalled' ELSE outcome END, ticked_at
             FROM told
             ON CONFLICT (window_uuid, seq) DO UPDATE SET tried_at = clock_timestamp() WHERE k.outcome = 'sending'
             RETURNING k.*
           ), complete AS (
             UPDATE reporter.report_window w SET audited_at = clock_timestamp()
             WHERE w.window_uuid = ANY ($6::uuid[]) AND w.audited_at IS NULL
               AND (SELECT count(*) FROM (SELECT seq FROM reporter.tick t WHERE t.window_uuid = w.window_uuid
                                          UNION SELECT seq FROM entered e WHERE e.window_uuid = w.window_uuid) both_of) > w.expected
           )
           SELECT window_uuid AS "windowUuid", seq, status, outcome, ticked_at AS at FROM entered WHERE outcome = 'sending' ORDER BY seq`,
    values: [
      ticks.map(({ windowUuid }) => windowUuid),
      ticks.map(({ seq }) => seq),
      ticks.map(({ status }) => status),
      ticks.map(({ outcome }) => outcome),
      ticks.map(({ at }) => at),
      beats.filter(({ last }) => last).map(({ windowUuid }) => windowUuid),
      WHY.stalled,
    ],
  });
  const sending = new Map<string, Tick[]>(beats.map(({ windowUuid }) => [windowUuid, []]));
  for (const tick of rows) {
    sending.get(tick.windowUuid)?.push(tick);
  }
  return beats.map(({ windowUuid }) => sending.get(windowUuid) ?? []);
}

/** Notes that the broker has them. */
export async function markSent(
  db: Queryable,
  ticks: readonly Pick<Tick, "windowUuid" | "seq">[],
): Promise<void> {
  await db.query({
    name: "reporter_mark_sent",
    text: `UPDATE reporter.tick t SET outcome = 'sent'
           FROM unnest($1::uuid[], $2::int[]) AS s (window_uuid, seq)
           WHERE (t.window_uuid, t.seq) = (s.window_uuid, s.seq) AND t.outcome = 'sending'`,
    values: [ticks.map(({ windowUuid }) => windowUuid), ticks.map(({ seq }) => seq)],
  });
}

/** A tick that was audited, and that the broker may not have. */
export interface Unsent {
  readonly window: ReportWindow;
  readonly tick: Tick;
  /** Since the window was opened, by the database's clock. */
  readonly elapsedMs: number;
}

/** Takes ticks of a service that nobody has brought to the broker for so long. */
export async function takeUnsent(
  db: Queryable,
  { service, afterS, limit }: { readonly service: string; readonly afterS: number; readonly limit: number },
): Promise<readonly Unsent[]> {
  const { rows } = await db.query<
    Omit<ReportWindow, "seed"> & Omit<Tick, "outcome"> & { readonly seed: bigint; readonly elapsedMs: number }
  >({
    name: "reporter_take_unsent",
    text: `UPDATE reporter.tick t SET tried_at = clock_timestamp()
           FROM reporter.report_window w
           WHERE w.window_uuid = t.window_uuid
             AND (t.window_uuid, t.seq) IN (
               SELECT u.window_uuid, u.seq
               FROM reporter.tick u JOIN reporter.report_window o USING (window_uuid)
               WHERE u.outcome = 'sending' AND u.tried_at < clock_timestamp() - make_interval(secs => $2) AND o.service = $1
               ORDER BY u.tried_at LIMIT $3 FOR UPDATE OF u SKIP LOCKED)
           RETURNING ${COLUMNS}, t.seq, t.status, t.ticked_at AS at,
                     (extract(epoch FROM clock_timestamp() - w.opened_at) * 1000)::float8 AS "elapsedMs"`,
    values: [service, afterS, limit],
  });
  return rows.map(({ seq, status, at, elapsedMs, ...window }) => ({
    window: { ...window, seed: Number(window.seed) },
    tick: { windowUuid: window.windowUuid, seq, status, at, outcome: "sending" },
    elapsedMs,
  }));
}
