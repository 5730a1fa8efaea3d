import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";

/** A fingerprint of all that a read model says. */
export interface Digest {
  readonly generation: number;
  readonly lines: number;
  readonly digest: string;
}

/** Of several generations at one moment, in their order: one statement, so one snapshot. */
export async function digestsOf(db: Queryable, generations: readonly number[]): Promise<readonly Digest[]> {
  const { rows } = await db.query<Digest>({
    name: "reports_digests",
    text: `SELECT g.generation, count(c.what)::integer AS lines,
                  coalesce(sum(hashtextextended(c.what || E'\\n' || c.value, 0)::numeric), 0)::text AS digest
           FROM unnest($1::integer[]) WITH ORDINALITY AS g (generation, place)
           LEFT JOIN reports.content c USING (generation)
           GROUP BY g.generation, g.place
           ORDER BY g.place`,
    values: [generations],
  });
  return rows;
}

/** Something that two read models do not say alike. */
export interface Difference {
  readonly what: string;
  readonly served: string;
  readonly rebuilt: string;
}

/** The first differences by name, and how many there are. */
export async function differencesOf(
  db: Queryable,
  { served, rebuilt, limit }: { readonly served: number; readonly rebuilt: number; readonly limit: number },
): Promise<{ readonly total: number; readonly first: readonly Difference[] }> {
  const { rows } = await db.query<{ total: number; first: readonly Difference[] }>({
    name: "reports_differences",
    text: `WITH differs AS MATERIALIZED (
             SELECT what, coalesce(s.value, 'nothing') AS served, coalesce(r.value, 'nothing') AS rebuilt
             FROM (SELECT what, value FROM reports.content WHERE generation = $1) s
             FULL JOIN (SELECT what, value FROM reports.content WHERE generation = $2) r USING (what)
             WHERE s.value IS DISTINCT FROM r.value
           )
           SELECT (SELECT count(*) FROM differs)::integer AS total,
                  (SELECT coalesce(json_agg(d), '[]') FROM (SELECT * FROM differs ORDER BY what LIMIT $3) d) AS first`,
    values: [served, rebuilt, limit],
  });
  return one(rows);
}
