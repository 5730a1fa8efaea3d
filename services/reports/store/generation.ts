import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";

/** A read model that is made beside the one that is served. */
export interface Candidate {
  readonly generation: number;
  /** live: it has all events, and gets each new one. */
  readonly state: "building" | "live";
  /** Up to which the archive is projected. */
  readonly position: bigint;
  /** How it differed when somebody was shown that; null: nobody was. */
  readonly shown: Shown | null;
}

export interface Shown {
  readonly differences: number;
  readonly position: bigint;
}

/** What a process has for a step before another one may go on in its place. A step is a transaction, or a comparison. */
export const LEASE_S = 10;

type Row = Omit<Candidate, "shown"> & {
  readonly shownDifferences: number | null;
  readonly shownPosition: bigint | null;
  readonly rebuilder: string | null;
};
const COLUMNS = `g.generation, g.state, g.position, g.rebuilder,
                  g.shown_differences AS "shownDifferences", g.shown_position AS "shownPosition"`;

const candidateOf = ({ shownDifferences: differences, shownPosition: position, ...row }: Row) => ({
  ...row,
  shown: differences === null || position === null ? null : { differences, position },
});

/** The candidate, if there is one, and who had it last. */
export async function findCandidate(
  db: Queryable,
): Promise<(Candidate & { readonly rebuilder: string | null }) | undefined> {
  const { rows } = await db.query<Row>({
    name: "reports_candidate",
    text: `SELECT ${COLUMNS}
           FROM reports.generation g
           WHERE g.state IN ('building', 'live') AND g.generation <> (SELECT s.generation FROM reports.served s)`,
  });
  return rows.map(candidateOf)[0];
}

/** Makes the next one. */
export async function insertCandidate(tx: Queryable): Promise<number> {
  const { rows } = await tx.query<{ generation: number }>({
    name: "reports_insert_candidate",
    text: `INSERT INTO reports.generation (generation)
           SELECT max(generation) + 1 FROM reports.generation
           RETURNING generation`,
  });
  return one(rows).generation;
}

/** Takes or renews the lease. @returns the candidate, or undefined when somebody else has it, or it is none any more */
export async function lease(
  db: Queryable,
  generation: number,
  rebuilder: string,
): Promise<Candidate | undefined> {
  const { rows } = await db.query<Row>({
    name: "reports_lease",
    text: `UPDATE reports.generation g
           SET rebuilder = $2, leased_until = clock_timestamp() + make_interval(secs => ${LEASE_S})
           WHERE generation = $1 AND state IN ('building', 'live')
             AND generation <> (SELECT s.generation FROM reports.served s)
             AND (rebuilder = $2 OR rebuilder IS NULL OR leased_until < clock_timestamp())
           RETURNING ${COLUMNS}`,
    values: [generation, rebuilder],
  });
  return rows.map(candidateOf)[0];
}

/** Leaves it to whoever comes next. */
export async function release(db: Queryable, generation: number, rebuilder: string): Promise<void> {
  await db.query({
    name: "reports_release",
    text: `UPDATE reports.generation SET leased_until = clock_timestamp() WHERE generation = $1 AND rebuilder = $2`,
    values: [generation, rebuilder],
  });
}

/** Says how far it is. */
export async function reach(
  tx: Queryable,
  generation: number,
  to: { readonly position: bigint; readonly state: "building" | "live" },
): Promise<void> {
  await tx.query({
    name: "reports_reach",
    text: `UPDATE reports.generation SET position = $2, state = $3, changed_at = clock_timestamp() WHERE generation = $1`,
    values: [generation, to.position, to.state],
  });
}

export async function markShown(db: Queryable, generation: number, shown: Shown): Promise<void> {
  await db.query({
    name: "reports_shown",
    text: "UPDATE reports.generation SET shown_differences = $2, shown_position = $3 WHERE generation = $1",
    values: [generation, shown.differences, shown.position],
  });
}

/** No event goes into it any more. To be called under the head's lock. */
export async function retire(tx: Queryable, generation: number): Promise<void> {
  await tx.query({
    name: "reports_retire",
    text: "UPDATE reports.generation SET state = 'retired', changed_at = clock_timestamp() WHERE generation = $1",
    values: [generation],
  });
}

const TABLES = ["payout", "payout_day", "payout_affiliate", "campaign"] as const;

/**
 * Deletes some rows of a generation that was retired so long ago that no statement reads it any more. Row by row, so that no reader of
 * another one waits.
 *
 * @returns whether there may be more to do
 */
export async function dropSome(
  db: Queryable,
  { retiredForS, rows: limit }: { readonly retiredForS: number; readonly rows: number },
): Promise<boolean> {
  const { rows } = await db.query<{ generation: number }>({
    name: "reports_retired",
    text: `SELECT generation FROM reports.generation
           WHERE state = 'retired' AND changed_at <= clock_timestamp() - make_interval(secs => $1)
           ORDER BY generation LIMIT 1`,
    values: [retiredForS],
  });
  const [retired] = rows;
  if (retired === undefined) {
    return false;
  }
  for (const table of TABLES) {
    const { rowCount } = await db.query({
      name: `reports_drop_${table}`,
      text: `DELETE FROM reports.${table}
             WHERE ctid = ANY (ARRAY(SELECT ctid FROM reports.${table} WHERE generation = $1 LIMIT $2 FOR UPDATE SKIP LOCKED))`,
      values: [retired.generation, limit],
    });
    if (rowCount !== 0) {
      return true;
    }
  }
  // Another process may be at some that are left.
  const { rowCount } = await db.query({
    name: "reports_dropped",
    text: `UPDATE reports.generation SET state = 'dropped', changed_at = clock_timestamp()
           WHERE generation = $1 AND state = 'retired'
             ${TABLES.map((table) => `AND NOT EXISTS (SELECT FROM reports.${table} WHERE generation = $1)`).join("\n")}`,
    values: [retired.generation],
  });
  return rowCount === 1;
}
