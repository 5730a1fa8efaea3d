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
  const values = [...valuesOf(facts), head];
  return (await tx.query<Entered>({ name: "reports_enter", text: ENTER, values })).rows;
}

/** The same with nothing archived. */
export async function foreseeFacts(db: Queryable, facts: readonly Fact[]): Promise<readonly Entered[]> {
  return (await db.query<Entered>({ name: "reports_foresee", text: FORESEE, values: valuesOf(facts) })).rows;
}

const valuesOf = (facts: readonly Fact[]): unknown[] => [
  facts.map(({ kind }) => kind),
  facts.map(({ aggregateId }) => aggregateId),
  facts.map(({ version }) => version),
  facts.map(({ event }) => event),
  facts.map(({ minorDigits }) => minorDigits),
  facts.map(({ body }) => JSON.stringify(body)),
  facts.map(({ messageId }) => messageId),
];

/** What the archive has not. */
const NEW = `
  FROM told t
  WHERE nth = 1 AND NOT EXISTS (SELECT FROM known k WHERE k.aggregate_id = t.aggregate_id AND k.version = t.version)`;
const AS_KNOWN = "aggregate_id, version, kind, event, body";

/** @param entered gives what is new, as AS_KNOWN */
const comparedWith = (entered: string) => `
  WITH told AS (
    SELECT *, row_number() OVER (PARTITION BY aggregate_id, version ORDER BY place) AS nth
    FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::smallint[], $6::jsonb[], $7::text[])
      WITH ORDINALITY AS t (kind, aggregate_id, version, event, minor_digits, body, message_id, place)
  ), known AS (
    SELECT t.aggregate_id, t.version, e.kind, e.event, e.body
    FROM told t JOIN reports.event e ON e.aggregate_id = t.aggregate_id AND e.version = t.version
    WHERE t.nth = 1
  ), entered AS (${entered}), archived AS (
    SELECT *, false AS is_new FROM known UNION ALL SELECT ${AS_KNOWN}, true FROM entered
  )
  SELECT t.nth = 1 AND a.is_new AS fresh,
         t.kind = a.kind AND t.event = a.event AND t.body - 'trace_id' = a.body - 'trace_id' AS agrees
  FROM told t JOIN archived a ON a.aggregate_id = t.aggregate_id AND a.version = t.version
  ORDER BY t.place`;

const ENTER = comparedWith(`
  INSERT INTO reports.event (position, kind, aggregate_id, version, event, minor_digits, body, message_id)
  SELECT $8::bigint + row_number() OVER (ORDER BY place), kind, aggregate_id, version, event, minor_digits, body, message_id
  ${NEW}
  RETURNING ${AS_KNOWN}`);

const FORESEE = comparedWith(`SELECT ${AS_KNOWN} ${NEW}`);
