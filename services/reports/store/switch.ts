import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Version } from "../domain/version.js";

/** What is served, since when, and by whom it was switched. */
export interface Served {
  /** One more with each switch of version or generation. */
  readonly epoch: number;
  readonly version: Version;
  readonly generation: number;
  readonly switchedBy: string;
  readonly switchedAt: Date;
  /** Of the newest event that is in it. */
  readonly position: bigint;
  readonly appliedAt: Date;
}

export async function readServed(db: Queryable): Promise<Served> {
  const { rows } = await db.query<Served>({
    name: "reports_served",
    text: `SELECT epoch, version, generation, switched_by AS "switchedBy", switched_at AS "switchedAt", position,
                  applied_at AS "appliedAt"
           FROM reports.served`,
  });
  return one(rows);
}

/** The next thing to serve; what it leaves out stays as it is. */
export interface Switch {
  readonly version?: Version;
  readonly generation?: number;
  /** The epoch that must be the current one; null: whichever. */
  readonly ifEpoch?: number | null;
  readonly by: string;
  readonly traceId: string | null;
}

/**
 * Compares and sets: the row that says what is served is the one that says who switched. @returns whether it did; not where that is
 * served already, the epoch is another one, or somebody else was first.
 */
export async function enterSwitch(db: Queryable, next: Switch): Promise<boolean> {
  const { version = null, generation = null, ifEpoch = null, by, traceId } = next;
  const { rowCount } = await db.query({
    name: "reports_switch",
    text: `INSERT INTO reports.switch (epoch, version, generation, switched_by, trace_id)
           SELECT epoch + 1, coalesce($1, version), coalesce($2, generation), $4, $5
           FROM reports.served
           WHERE (version IS DISTINCT FROM coalesce($1, version) OR generation IS DISTINCT FROM coalesce($2, generation))
             AND epoch = coalesce($3, epoch)
           ON CONFLICT DO NOTHING`,
    values: [version, generation, ifEpoch, by, traceId],
  });
  return rowCount === 1;
}
