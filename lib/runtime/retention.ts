import type { Queryable } from "../postgres/pool.js";
import { quoteName } from "../postgres/sql.js";

/** How long the rows of a table are kept. A module declares it in its manifest; docs/modules.md is made of that. */
export interface Retention {
  /** As `schema.table`, in a schema of the module's own. */
  readonly table: string;
  readonly keep: Keep;
  /** For whoever wants the room, or wants to be forgotten. */
  readonly why: string;
}

/**
 * - `for ever`: no role of a module may delete them;
 * - `days`: what is older by the column `since` is purged by the runtime;
 * - `until`: the module's own statements delete them then, in the words of the page.
 */
export type Keep = "for ever" | Age | { readonly until: string };

interface Age {
  readonly days: number;
  readonly since: string;
}

export type PurgedTable = Retention & { readonly keep: Age };

export const isPurged = (retention: Retention): retention is PurgedTable =>
  typeof retention.keep === "object" && "days" in retention.keep;

/** Of the tables that `ops.add_service_tables` makes in every service's schema. */
export const serviceRetention = (schema: string): readonly Retention[] => [
  {
    table: `${schema}.idempotency`,
    keep: { days: 1, since: "created_at" },
    why: "A caller that repeats a request does so within minutes.",
  },
  {
    table: `${schema}.outbox`,
    keep: { until: "it is published: milliseconds" },
    why: "It waits for the broker.",
  },
  {
    table: `${schema}.illegal_transition`,
    keep: "for ever",
    why: "Evidence, and few.",
  },
];

/** Takes 1 to 6 ms. */
export const PURGE_BATCH_ROWS = 1_000;

/**
 * Deletes what is older than is declared, the oldest first. Each batch is a statement of its own and passes over rows that somebody
 * holds, so that a purge waits for nobody, and nobody for longer than a batch takes. Any number of processes may purge at once.
 * Rows are told by their place, which a lock keeps; so the table is not partitioned.
 *
 * @returns how many rows it deleted
 */
export async function purge(
  db: Queryable,
  { table, keep: { days, since } }: PurgedTable,
  batchRows = PURGE_BATCH_ROWS,
): Promise<number> {
  const [name, column] = [quoteName(table), quoteName(since)];
  const text = `
    DELETE FROM ${name} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${name} WHERE ${column} < now() - make_interval(hours => 24 * $1)
      ORDER BY ${column} LIMIT $2 FOR UPDATE SKIP LOCKED))`;
  for (let deleted = 0; ; ) {
    const { rowCount } = await db.query(text, [days, batchRows]);
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < batchRows) {
      return deleted;
    }
  }
}
