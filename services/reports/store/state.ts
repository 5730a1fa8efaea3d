import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Version } from "../domain/version.js";

/** How it stands with the report, as it is answered. */
export interface State {
  readonly version: Version;
  readonly epoch: number;
  readonly generation: number;
  readonly events: number;
  readonly as_of: string;
  readonly parked: number;
  readonly rebuild: { readonly generation: number; readonly behind: number } | null;
}

export async function readState(db: Queryable): Promise<State> {
  const { rows } = await db.query<Omit<State, "events" | "as_of"> & { events: bigint; appliedAt: Date }>({
    name: "reports_state",
    text: `SELECT s.version, s.epoch, s.generation, s.position AS events, s.applied_at AS "appliedAt",
             (SELECT count(*)::integer FROM reports.payout p WHERE p.generation = s.generation AND p.day IS NULL) AS parked,
             (SELECT json_build_object('generation', g.generation, 'behind', s.position - g.position)
              FROM reports.generation g
              WHERE g.state IN ('building', 'live') AND g.generation <> s.generation) AS rebuild
           FROM reports.served s`,
  });
  const { appliedAt, events, ...state } = one(rows);
  return { ...state, events: Number(events), as_of: appliedAt.toISOString() };
}
