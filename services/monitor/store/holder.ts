import type { Queryable } from "../../../lib/postgres/pool.js";

/** What a process of monitor-queue says of itself. */
export interface Holding {
  readonly holder: string;
  /** Later the broker has given to others what it holds; 0: it has ended. */
  readonly leaseMs: number;
  /** Since it last said so, reports went back to the queue: what was behind them may be before them now. */
  readonly gaveBack: boolean;
  readonly held: readonly { readonly windowUuid: string; readonly seq: number }[];
}

export async function renewHolder(
  db: Queryable,
  { holder, leaseMs, gaveBack, held }: Holding,
): Promise<void> {
  await db.query({
    name: "monitor_renew",
    text: `INSERT INTO monitor.holder AS h (holder, renewed_at, leased_until, gave_back_at, held_windows, held_seqs)
           SELECT $1, now, now + $2 * interval '1 millisecond', CASE WHEN $3 THEN now ELSE '-infinity' END, $4, $5
           FROM clock_timestamp() AS now
           ON CONFLICT (holder) DO UPDATE
           SET renewed_at = excluded.renewed_at, leased_until = excluded.leased_until,
               gave_back_at = greatest(h.gave_back_at, excluded.gave_back_at),
               held_windows = excluded.held_windows, held_seqs = excluded.held_seqs`,
    values: [holder, leaseMs, gaveBack, held.map(({ windowUuid }) => windowUuid), held.map(({ seq }) => seq)],
  });
}
