import type { Queryable } from "../../../lib/postgres/pool.js";

/** SQL with the place of its one value, and the value; undefined: it was not asked for. */
export type Condition = readonly [sql: (place: string) => string, value: unknown] | undefined;

export interface Walk {
  readonly view: string;
  /** What the rows of the page are read from, where that is another view with the same `id`. */
  readonly shown?: string;
  /** What is read of them. */
  readonly columns: string;
  /** The column that the walk goes down, by an index; its rows are unique in it. */
  readonly id: string;
  /** Where the page before ended. */
  readonly before: unknown;
  /** What an index leads to. */
  readonly led: readonly Condition[];
  /** Columns that are looked at row by row, and what they must be; undefined: anything. */
  readonly filters: Readonly<Record<string, unknown>>;
  readonly limit: number;
}

interface ByValue {
  readonly column: string;
  /** undefined: anything. */
  readonly value: string | undefined;
  /** Those that have a partial index, by the walk's id. */
  readonly indexed: readonly string[];
  /**
   * Whether another index leads. Two lead to two sets, and what both have in common may be nothing: then one leads and the other is
   * looked at.
   */
  readonly isLed: boolean;
}

/** What a column must be: led to by the index of that value, or looked at row by row. */
export const byValue = ({ column, value, indexed, isLed }: ByValue): Pick<Walk, "led" | "filters"> =>
  value !== undefined && !isLed && indexed.includes(value)
    ? // As a constant besides: the plan is for any value, and the indexes are of these alone.
      { led: [[(place) => `${column} = '${value}' AND ${column} = ${place}`, value]], filters: {} }
    : { led: [], filters: { [column]: value } };

export interface Walked<Row> {
  readonly rows: readonly Row[];
  /** The id where the next page begins; undefined: this was the last one. */
  readonly next: unknown;
}

/** At most so many rows are looked at for a page: some 10 ms. Whoever looks for what is rare goes on from there. */
const MOST_LOOKED_AT = 10_000;

/**
 * A page of what is large, newest first, whatever is looked for: it reads rows by an index and never more than it says. So a page may
 * have few rows, or none, and a next one.
 */
export async function walk<Row extends object>(db: Queryable, options: Walk): Promise<Walked<Row>> {
  const { view, shown = view, columns, id, before, led, limit } = options;
  const filters = Object.entries(options.filters).filter(([, value]) => value !== undefined);
  const values: unknown[] = [before];
  const placeOf = (value: unknown) => `$${values.push(value)}`;
  const conditions = led.filter((each) => each !== undefined).map(([sql, value]) => sql(placeOf(value)));
  const matching = filters.map(([column, value]) => `${column} = ${placeOf(value)}`);
  const most = filters.length === 0 ? limit + 1 : MOST_LOOKED_AT;
  const { rows } = await db.query<Row & { walkedId: unknown; looked: number; last: unknown }>({
    text: `
      WITH walked AS MATERIALIZED (
        SELECT ${[id, ...filters.map(([column]) => column)].join(", ")} FROM ${view}
        WHERE ${[`${id} < $1`, ...conditions].join(" AND ")} ORDER BY ${id} DESC LIMIT ${most}
      )
      SELECT page.*, looked_at.looked, looked_at.last
      FROM (SELECT count(*)::integer AS looked, (SELECT ${id} FROM walked ORDER BY ${id} LIMIT 1) AS last FROM walked) looked_at
      LEFT JOIN (
        SELECT ${columns}, ${id} AS "walkedId"
        FROM (SELECT ${id} FROM walked WHERE ${["true", ...matching].join(" AND ")} ORDER BY ${id} DESC LIMIT ${limit + 1}) found
        JOIN ${shown} shown USING (${id})
      ) page ON true
      ORDER BY page."walkedId" DESC`,
    values,
  });
  const matches = rows.filter(({ walkedId }) => walkedId !== null);
  if (matches.length > limit) {
    return { rows: matches.slice(0, limit), next: matches[limit - 1]?.walkedId };
  }
  const { looked = 0, last } = rows[0] ?? {};
  return { rows: matches, next: filters.length > 0 && looked === most ? last : undefined };
}
