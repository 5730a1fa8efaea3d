import { instantOf } from "../../../lib/http/page.js";
import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";

/** What a process of monitor-queue says of itself. */
export interface Holding {
  readonly holder: string;
  /** Later the broker has given to others what it holds; 0: it has ended. */
  readonly leaseMs: number;
  /** The time in the latest answer that it had before it looked at what it holds; null: it had none. */
  readonly asOf: string | null;
  /** Since it last said so, reports went back to the queue: what was behind them may be before them now. */
  readonly gaveBack: boolean;
  readonly held: readonly { readonly windowUuid: string; readonly seq: number }[];
}

/** Part of each statement by which a holder is heard, so that no lease ends by our own absence. Its result is `heard`, with the time. */
export const HEAR = `
  heard AS (
    UPDATE monitor.hearing
    SET since = CASE WHEN last_at < now - interval '5 seconds' THEN now ELSE since END, last_at = now
    FROM clock_timestamp() AS now
    RETURNING last_at
  )`;

/**
 * Two requests of one process may be under way at a time: what was looked at earlier never takes the place of what was later.
 *
 * @returns the time by the database's clock, for the next one
 */
export async function renewHolder(
  db: Queryable,
  { holder, leaseMs, asOf, gaveBack, held }: Holding,
): Promise<string> {
  const { rows } = await db.query<{ asOf: string }>({
    name: "monitor_renew",
    text: `WITH ${HEAR}, said AS (
             INSERT INTO monitor.holder AS h
               (holder, said_at, renewed_at, lease_ms, leased_until, gave_back_at, held_windows, held_seqs)
             SELECT $1, now, least($3::timestamptz, now), $2::integer, now + $2::integer * interval '1 millisecond',
                    CASE WHEN $4 THEN now ELSE '-infinity' END, $5, $6
             FROM (SELECT last_at AS now FROM heard) t
             ON CONFLICT (holder) DO UPDATE
             SET said_at = excluded.said_at, renewed_at = excluded.renewed_at, lease_ms = excluded.lease_ms,
                 leased_until = excluded.leased_until, gave_back_at = greatest(h.gave_back_at, excluded.gave_back_at),
                 held_windows = excluded.held_windows, held_seqs = excluded.held_seqs
             WHERE excluded.renewed_at >= h.renewed_at OR h.renewed_at > excluded.said_at -- a clock that was set back
           )
           SELECT ${instantOf("last_at")} AS "asOf" FROM heard`,
    values: [
      holder,
      leaseMs,
      asOf ?? "-infinity",
      gaveBack,
      held.map(({ windowUuid }) => windowUuid),
      held.map(({ seq }) => seq),
    ],
  });
  return one(rows).asOf;
}
