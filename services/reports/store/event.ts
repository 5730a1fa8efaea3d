import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Fact } from "../domain/fact.js";

/** What became of a fact in the archive. */
export interface Entered {
  /** It is new there. */
  readonly fresh: boolean;
  /** With what the archive has of this version; false is a contradiction. */
  readonly agrees: boolean;
}

/**
 * Archives facts that are new, at the positions after the head, whose lock the transaction holds. Of twins in the batch the first
 * counts. Who told it, and under which trace, makes no difference.
 *
 * @returns of each fact, in their order
 */
export async function enterFacts(
  tx: Queryable,
  head: bigint,
  facts: readonly Fact[],
): Promise<readonly Entered[]> {
  const { rows } = await tx.query<Entered>({
    name: "reports_enter",
    text: `
      WITH told AS (
        SELECT *, row_number() OVER (PARTITION BY aggregate_id, version ORDER BY place) AS nth
        FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::smallint[], $7::jsonb[], $8::text[])
          WITH ORDINALITY AS t (kind, aggregate_id, version, event, minor_digits, body, message_id, place)
      ), known AS (
        SELECT t.aggregate_id, t.version, e.kind, e.event, e.body
        FROM told t JOIN reports.event e ON e.aggregate_id = t.aggregate_id AND e.version = t.version
        WHERE t.nth = 1
      ), entered AS (
        INSERT INTO reports.event (position, kind, aggregate_id, version, event, minor_digits, body, message_id)
        SELECT $1 + row_number() OVER (ORDER BY place), kind, aggregate_id, version, event, minor_digits, body, message_id
        FROM told t
        WHERE nth = 1 AND NOT EXISTS (SELECT FROM known k WHERE k.aggregate_id = t.aggregate_id AND k.version = t.version)
        RETURNING aggregate_id, version, kind, event, body
      ), archived AS (
        SELECT *, false AS is_new FROM known UNION ALL SELECT aggregate_id, version, kind, event, body, true FROM entered
      )
      SELECT t.nth = 1 AND a.is_new AS fresh,
             t.kind = a.kind AND t.event = a.event AND t.body - 'trace_id' = a.body - 'trace_id' AS agrees
      FROM told t JOIN archived a ON a.aggregate_id = t.aggregate_id AND a.version = t.version
      ORDER BY t.place`,
    values: [
      head,
      facts.map(({ kind }) => kind),
      facts.map(({ aggregateId }) => aggregateId),
      facts.map(({ version }) => version),
      facts.map(({ event }) => event),
      facts.map(({ minorDigits }) => minorDigits),
      facts.map(({ body }) => JSON.stringify(body)),
      facts.map(({ messageId }) => messageId),
    ],
  });
  return rows;
}
