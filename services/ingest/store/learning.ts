import { newId } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { type FamilyState, MAX_TRIES, type Outcome, type Sample } from "../learning/family.js";
import { type Known, STATES, type State } from "../learning/known.js";
import type { Leaf } from "../learning/leaves.js";
import { layoutOf } from "../learning/mapping.js";

/** Of a family, the oldest first: a call shows a dozen, and what it teaches reads the others without being shown them. */
const MAX_SAMPLES = 500;

interface MappingRow extends Omit<Known, "mapping" | "paths"> {
  readonly mapping: Known["mapping"];
  readonly paths: readonly string[];
}

const COLUMNS = `id, family, shape, mapping, paths, state, votes, confirmations, waits_for AS "waitsFor"`;

/** Those of all families that may read an event. */
export async function mappingsInForce(db: Queryable): Promise<readonly Known[]> {
  const { rows } = await db.query<MappingRow>(
    `SELECT ${COLUMNS} FROM ingest.mapping WHERE state IN ('candidate', 'promoted')`,
  );
  return rows;
}

/** Families' samples that calls brought nothing for, as `family digest`. */
export async function samplesGivenUp(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ name: string }>({
    text: `SELECT family || ' ' || digest AS name FROM ingest.learning_sample
           WHERE mapping_id IS NULL AND tries >= $1 ORDER BY entered_at DESC LIMIT 10000`,
    values: [MAX_TRIES],
  });
  return rows.map(({ name }) => name);
}

/** Enters events that are not there yet, while there is room for more of their family. */
export async function enterSamples(db: Queryable, family: string, samples: readonly Sample[]): Promise<void> {
  await db.query({
    name: "ingest_enter_samples",
    text: `INSERT INTO ingest.learning_sample (family, digest, leaves)
           SELECT $1, digest, leaves FROM unnest($2::text[], $3::jsonb[]) AS s (digest, leaves)
           WHERE (SELECT count(*) FROM ingest.learning_sample WHERE family = $1 AND tries = 0) < ${MAX_SAMPLES}
           ORDER BY digest ON CONFLICT DO NOTHING`,
    values: [
      family,
      samples.map(({ eventId }) => eventId),
      samples.map(({ leaves }) => JSON.stringify([...leaves.values()])),
    ],
  });
}

export async function loadFamily(db: Queryable, family: string): Promise<FamilyState> {
  const { rows: mappings } = await db.query<MappingRow>({
    name: "ingest_family_mappings",
    text: `SELECT ${COLUMNS} FROM ingest.mapping WHERE family = $1 AND state <> 'retired' ORDER BY id`,
    values: [family],
  });
  const { rows } = await db.query<{
    digest: string;
    leaves: Leaf[];
    mapping_id: string | null;
    tries: number;
  }>({
    name: "ingest_family_samples",
    text: `SELECT digest, leaves, mapping_id, tries FROM ingest.learning_sample
           WHERE family = $1 AND (mapping_id IS NOT NULL OR tries < $2) ORDER BY entered_at, digest LIMIT ${MAX_SAMPLES}`,
    values: [family, MAX_TRIES],
  });
  const known = new Set(mappings.map(({ id }) => id));
  const samples = rows.map(
    ({ digest, leaves, mapping_id, tries }): Sample => ({
      eventId: digest,
      leaves: new Map(leaves.map((leaf) => [leaf.path, leaf])),
      mappingId: mapping_id !== null && known.has(mapping_id) ? mapping_id : null,
      tries,
    }),
  );
  return { mappings, samples };
}

/** Writes what changed of a family's mappings. @param by the person who decided; null: the checks did */
export async function saveMappings(
  db: Queryable,
  mappings: readonly Known[],
  by: string | null,
): Promise<void> {
  await db.query({
    name: "ingest_save_mappings",
    text: `INSERT INTO ingest.mapping (id, family, shape, layout, mapping, paths, state, votes, confirmations, waits_for)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[], $6::jsonb[], $7::text[], $8::integer[],
                                $9::integer[], $10::text[])
           ON CONFLICT (id) DO UPDATE
           SET mapping = excluded.mapping, paths = excluded.paths, state = excluded.state, votes = excluded.votes,
               confirmations = excluded.confirmations, waits_for = excluded.waits_for, changed_at = now(),
               decided_by = CASE WHEN mapping.state <> excluded.state THEN $11 ELSE mapping.decided_by END`,
    values: [
      mappings.map(({ id }) => id),
      mappings.map(({ family }) => family),
      mappings.map(({ shape }) => shape),
      mappings.map(({ mapping }) => layoutOf(mapping)),
      mappings.map(({ mapping }) => JSON.stringify(mapping)),
      mappings.map(({ paths }) => JSON.stringify(paths)),
      mappings.map(({ state }) => state),
      mappings.map(({ votes }) => votes),
      mappings.map(({ confirmations }) => confirmations),
      mappings.map(({ waitsFor }) => waitsFor),
      by,
    ],
  });
}

/** Notes that what mappings of some layouts read is to be read anew, whoever does it: a crash forgets nothing. */
export async function unsettle(db: Queryable, family: string, layouts: readonly string[]): Promise<void> {
  await db.query({
    name: "ingest_unsettle",
    text: "UPDATE ingest.mapping SET is_unsettled = true WHERE family = $1 AND layout = ANY($2)",
    values: [family, layouts],
  });
}

/** A layout whose events are to be read anew. */
export interface Unsettled {
  readonly layout: string;
  /** A person rejected it: what it read as a rule, too. Else only what candidates read. */
  readonly isRejected: boolean;
}

export async function unsettledLayouts(db: Queryable): Promise<readonly Unsettled[]> {
  const { rows } = await db.query<Unsettled>(
    `SELECT layout, bool_or(state = 'rejected') AS "isRejected" FROM ingest.mapping WHERE is_unsettled GROUP BY layout`,
  );
  return rows;
}

/** @param since what changed later is to be read once more */
export async function settled(db: Queryable, layouts: readonly string[], since: Date): Promise<void> {
  await db.query({
    name: "ingest_settled",
    text: "UPDATE ingest.mapping SET is_unsettled = false WHERE is_unsettled AND layout = ANY($1) AND changed_at < $2",
    values: [layouts, since],
  });
}

export async function saveSamples(db: Queryable, family: string, samples: readonly Sample[]): Promise<void> {
  await db.query({
    name: "ingest_save_samples",
    text: `UPDATE ingest.learning_sample s SET mapping_id = n.mapping_id, tries = n.tries
           FROM unnest($2::text[], $3::uuid[], $4::smallint[]) AS n (digest, mapping_id, tries)
           WHERE s.family = $1 AND s.digest = n.digest AND (s.mapping_id, s.tries) IS DISTINCT FROM (n.mapping_id, n.tries)`,
    values: [
      family,
      samples.map(({ eventId }) => eventId),
      samples.map(({ mappingId }) => mappingId),
      samples.map(({ tries }) => tries),
    ],
  });
}

/** Samples of what is a rule, or will never be one, tell nothing any more; nor does what nobody understood in weeks. */
export async function dropOldSamples(db: Queryable, keptDays: number): Promise<void> {
  await db.query({
    text: `DELETE FROM ingest.learning_sample s
           WHERE entered_at < now() - make_interval(days => $1)
              OR EXISTS (SELECT FROM ingest.mapping m WHERE m.id = s.mapping_id AND m.state IN ('promoted', 'retired'))`,
    values: [keptDays],
  });
}

/** Takes a family's turn. @returns false while another process has it, or it is too early for a call */
export async function claimFamily(
  db: Queryable,
  family: string,
  { claim, leaseMs }: { readonly claim: string; readonly leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "ingest_claim_family",
    text: `INSERT INTO ingest.learning_family AS f (family, claim, claimed_until) VALUES ($1, $2, now() + make_interval(secs => $3::float8))
           ON CONFLICT (family) DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until
           WHERE f.claimed_until < now() AND f.next_call_at <= now()`,
    values: [family, claim, leaseMs / 1_000],
  });
  return rowCount === 1;
}

/** Locks a family's turn until the end of the transaction. @returns false when it was lost: it took too long */
export async function holdsFamily(tx: Queryable, family: string, claim: string): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: "ingest_holds_family",
    text: "SELECT FROM ingest.learning_family WHERE family = $1 AND claim = $2 FOR UPDATE",
    values: [family, claim],
  });
  return rowCount === 1;
}

/** Takes it for a person's decision, whoever has the turn: what is learned meanwhile is lost. */
export async function seizeFamily(tx: Queryable, family: string): Promise<void> {
  await tx.query({
    text: `INSERT INTO ingest.learning_family (family) VALUES ($1)
           ON CONFLICT (family) DO UPDATE SET claim = NULL, claimed_until = '-infinity'`,
    values: [family],
  });
}

/** Ends a turn. After failures the next call waits: 1 s, then twice as long each time, a quarter of an hour at most. */
export async function releaseFamily(
  db: Queryable,
  family: string,
  claim: string,
  what: "idle" | "learned" | "failed",
): Promise<void> {
  await db.query({
    name: "ingest_release_family",
    text: `UPDATE ingest.learning_family
           SET claim = NULL, claimed_until = '-infinity',
               failures = CASE $3 WHEN 'failed' THEN least(failures + 1, 20) WHEN 'learned' THEN 0 ELSE failures END,
               next_call_at = CASE $3 WHEN 'failed' THEN now() + make_interval(secs => least(900, 2 ^ failures)) ELSE next_call_at END
           WHERE family = $1 AND claim = $2`,
    values: [family, claim, what],
  });
}

/** Families with events that no mapping reads and that may be asked about now; of many any, so that each has its turn. */
export async function openFamilies(db: Queryable, limit: number): Promise<readonly string[]> {
  const { rows } = await db.query<{ family: string }>({
    text: `SELECT family FROM (SELECT DISTINCT family FROM ingest.learning_sample WHERE mapping_id IS NULL AND tries < $1) s
           LEFT JOIN ingest.learning_family f USING (family)
           WHERE f.family IS NULL OR f.claimed_until < now() AND f.next_call_at <= now()
           ORDER BY random() LIMIT $2`,
    values: [MAX_TRIES, limit],
  });
  return rows.map(({ family }) => family);
}

/** Bodies of events that wait for a model, of a provider or, as `?`, of none; the oldest first. */
export async function bodiesPending(
  db: Queryable,
  provider: string,
  after: string,
  limit: number,
): Promise<readonly { readonly id: string; readonly bodyId: string }[]> {
  const { rows } = await db.query<{ id: string; bodyId: string }>({
    name: "ingest_bodies_pending",
    text: `SELECT id, body_id AS "bodyId" FROM ingest.event
           WHERE code = 'AI_PENDING' AND coalesce(lower(provider), '?') = left($1, 50) AND id > $2 ORDER BY id LIMIT $3`,
    values: [provider, after, limit],
  });
  return rows;
}

export interface ModelCall {
  readonly family: string;
  readonly purpose: "learn" | "confirm";
  readonly outcome: Outcome;
  readonly detail: string | null;
  readonly ms: number;
  readonly tokens: number;
}

export async function enterCall(db: Queryable, call: ModelCall): Promise<void> {
  const { family, purpose, outcome, detail, ms, tokens } = call;
  await db.query({
    name: "ingest_enter_call",
    text: `INSERT INTO ingest.model_call (id, family, purpose, outcome, detail, ms, tokens) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    values: [newId(), family, purpose, outcome, detail?.slice(0, 1_000) ?? null, ms, tokens],
  });
}

/** Of the last hour, by all processes. */
export async function recentCalls(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ calls: number }>(
    "SELECT count(*)::integer AS calls FROM ingest.model_call WHERE called_at > now() - interval '1 hour'",
  );
  return rows[0]?.calls ?? 0;
}

/** Bodies of events that wait for a model, the oldest first; or that were read by mappings of some layouts. */
export async function bodiesToReadAgain(
  db: Queryable,
  layouts: readonly Unsettled[],
  after: string,
  limit: number,
): Promise<readonly { readonly id: string; readonly bodyId: string }[]> {
  const { rows } = await db.query<{ id: string; bodyId: string }>({
    name: "ingest_bodies_to_read_again",
    text: `(SELECT id, body_id AS "bodyId" FROM ingest.event
            WHERE status = 'UNPROCESSED' AND code = 'AI_PENDING' AND id > $2 ORDER BY id LIMIT $3)
           UNION ALL
           (SELECT id, body_id FROM ingest.event
            WHERE rule = ANY($1) AND method IN ('learned', 'ai') AND (method = 'ai' OR rule = ANY($4)) AND id > $2
            ORDER BY id LIMIT $3)
           ORDER BY id LIMIT $3`,
    values: [rulesOf(layouts), after, limit, rulesOf(layouts.filter(({ isRejected }) => isRejected))],
  });
  return rows;
}

const rulesOf = (layouts: readonly Unsettled[]) => layouts.map(({ layout }) => `learned/${layout}`);

export interface ListedMapping extends Known {
  readonly layout: string;
  readonly decidedBy: string | null;
  readonly createdAt: Date;
  readonly events: number;
}

/** Mappings with how many events they are tested on. @param states of those to list */
export async function listMappings(
  db: Queryable,
  states: readonly State[] = STATES,
): Promise<readonly ListedMapping[]> {
  const { rows } = await db.query<ListedMapping>({
    name: "ingest_list_mappings",
    text: `SELECT ${COLUMNS}, layout, decided_by AS "decidedBy", created_at AS "createdAt",
                  (SELECT count(*)::integer FROM ingest.learning_sample s WHERE s.mapping_id = m.id) AS events
           FROM ingest.mapping m WHERE state = ANY($1) ORDER BY family, id LIMIT 1000`,
    values: [states],
  });
  return rows;
}

export async function findMapping(db: Queryable, id: string): Promise<ListedMapping | undefined> {
  const { rows } = await db.query<ListedMapping>({
    name: "ingest_find_mapping",
    text: `SELECT ${COLUMNS}, layout, decided_by AS "decidedBy", created_at AS "createdAt",
                  (SELECT count(*)::integer FROM ingest.learning_sample s WHERE s.mapping_id = m.id) AS events
           FROM ingest.mapping m WHERE id = $1`,
    values: [id],
  });
  return rows[0];
}

/** How much a model is needed still. */
export interface Needs {
  readonly events: number;
  readonly rule: number;
  readonly learned: number;
  readonly ai: number;
  readonly unprocessed: number;
  readonly calls: number;
}

/** Events that happened in the last days, by what they were understood by, and calls of the model in that time. */
export async function needsOf(db: Queryable, days: number): Promise<Needs> {
  const { rows } = await db.query<Needs>({
    name: "ingest_needs",
    text: `SELECT coalesce(sum(events), 0)::float8 AS events,
                  coalesce(sum(events) FILTER (WHERE method = 'rule'), 0)::float8 AS rule,
                  coalesce(sum(events) FILTER (WHERE method = 'learned'), 0)::float8 AS learned,
                  coalesce(sum(events) FILTER (WHERE method = 'ai'), 0)::float8 AS ai,
                  coalesce(sum(events) FILTER (WHERE status = 'UNPROCESSED'), 0)::float8 AS unprocessed,
                  (SELECT count(*) FROM ingest.model_call WHERE called_at > now() - make_interval(days => $1))::float8 AS calls
           FROM ingest.event_day WHERE day > (now() AT TIME ZONE 'UTC')::date - $1`,
    values: [days],
  });
  return rows[0] as Needs;
}
