import type { Queryable } from "../../../lib/postgres/pool.js";
import type { StoredBody } from "../arrival.js";
import { MAY_CHANGE, retryMs } from "../retry.js";
import { IN_USD, TAKEN, takenColumns } from "./new_event.js";
import type { Taken } from "./text.js";

/** An event as it was taken until now. */
export interface FormerEvent extends Taken {
  readonly id: string;
  readonly bodyId: string;
  readonly place: number;
  readonly receivedAt: Date;
  readonly latencyMs: number;
  readonly repeats: string | null;
  readonly amountUsd: string | null;
  readonly fxDay: string | null;
  /** What its amount is in USD by the rates that there are now. */
  readonly amountUsdNow: string | null;
  readonly fxDayNow: string | null;
}

export async function findBodies(db: Queryable, ids: readonly string[]): Promise<readonly StoredBody[]> {
  const { rows } = await db.query<StoredBody>({
    name: "ingest_bodies",
    text: `SELECT b.id, b.bytes, b.sha256, b.is_text AS "isText", b.hint, b.source, b.source_key AS "sourceKey", b.received_at AS "receivedAt",
                  jsonb_build_object('name', b.merchant, 'country', b.country) AS merchant
           FROM unnest($1::uuid[]) AS a (id) JOIN ingest.body b USING (id)`,
    values: [ids],
  });
  return rows;
}

/** Ids of bodies in the order of their time. @param after the last one of those before */
export async function nextBodies(db: Queryable, after: string, limit: number): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>({
    name: "ingest_next_bodies",
    text: "SELECT id FROM ingest.body WHERE id > $1 ORDER BY id LIMIT $2",
    values: [after, limit],
  });
  return rows.map(({ id }) => id);
}

/** Events of bodies. @param held whether others are to wait until this transaction has ended */
export async function eventsOf(
  db: Queryable,
  bodyIds: readonly string[],
  { held }: { readonly held: boolean },
): Promise<readonly FormerEvent[]> {
  const lock = held ? "FOR UPDATE OF e" : "";
  const { rows } = await db.query<FormerEvent>({
    name: held ? "ingest_hold_events" : "ingest_events_of",
    text: `
      WITH own AS (
        SELECT e.id FROM unnest($1::uuid[]) AS b (id) JOIN ingest.event e ON e.id = b.id
        UNION ALL
        SELECT e.id FROM unnest($1::uuid[]) AS b (id) JOIN ingest.event e ON e.body_id = b.id AND e.place > 0
      ), a AS MATERIALIZED (
        SELECT e.* FROM own JOIN ingest.event e ON e.id = own.id ORDER BY e.id ${lock}
      )
      SELECT a.id, a.body_id AS "bodyId", a.place, a.received_at AS "receivedAt", a.latency_ms AS "latencyMs", a.repeats,
             a.provider, a.rule, a.method, a.confidence, a.status, a.code, a.detail, a.reason, a.undoes, a.amount::text,
             a.amount_minor AS "amountMinor", a.currency, a.merchant, a.country, a.occurred_at AS "occurredAt",
             a.provider_event_id AS "providerEventId", a.payment_ref AS "paymentRef", a.dedup_key AS "dedupKey",
             a.metadata::text, a.provenance::text, a.amount_usd::text AS "amountUsd", a.fx_day AS "fxDay",
             u.amount_usd::text AS "amountUsdNow", fx.day AS "fxDayNow"
      FROM a ${IN_USD}`,
    values: [bodyIds],
  });
  return rows;
}

/** What an event is taken for from now on. */
export interface ChangedEvent {
  readonly id: string;
  readonly receivedAt: Date;
  readonly taken: Taken;
  readonly latencyMs: number;
  /** The event that told the same first. */
  readonly repeats: string | null;
}

/** @param cause of the change, for those who ask later */
export async function changeEvents(
  tx: Queryable,
  changes: readonly ChangedEvent[],
  { former, cause }: { readonly former: readonly FormerEvent[]; readonly cause: string },
): Promise<void> {
  await tx.query({
    name: "ingest_keep_former",
    text: `INSERT INTO ingest.former_event (event_id, cause, was) SELECT id, $3, was FROM unnest($1::uuid[], $2::jsonb[]) AS a (id, was)`,
    values: [former.map(({ id }) => id), former.map(wasOf), cause],
  });
  await tx.query({
    name: "ingest_change_events",
    text: `UPDATE ingest.event e
           SET (${TAKEN.names}, amount_usd, fx_day, latency_ms, repeats)
               = (SELECT ${TAKEN.names.replaceAll(/\w+/g, "a.$&")}, a.usd, a.rate_day, a.latency, a.first),
               retry_at = CASE WHEN a.code = ANY ($4) THEN coalesce(e.retry_at, CASE WHEN e.attempts = 0 THEN now() + $5 * interval '1 ms' END) END
           FROM (SELECT a.*, u.amount_usd AS usd, fx.day AS rate_day
                 FROM (SELECT a.*, e.received_at
                       FROM unnest($1::uuid[], $2::integer[], $3::uuid[], ${TAKEN.types(6)})
                         AS a (id, latency, first, ${TAKEN.names}) JOIN ingest.event e USING (id)) a
                 ${IN_USD}) a
           WHERE e.id = a.id`,
    values: [
      changes.map(({ id }) => id),
      changes.map(({ latencyMs }) => latencyMs),
      changes.map(({ repeats }) => repeats),
      MAY_CHANGE,
      retryMs(0),
      ...takenColumns(changes.map(({ taken }) => taken)),
    ],
  });
}

/** What is worth keeping of what an event was taken for. */
function wasOf({ amountMinor, amountUsdNow, fxDayNow, metadata, provenance, ...was }: FormerEvent): string {
  return JSON.stringify({ ...was, metadata: JSON.parse(metadata), provenance: JSON.parse(provenance) });
}

/** Frees keys that are these events'. */
export async function dropKeys(
  tx: Queryable,
  keys: readonly { readonly scope: string; readonly key: string; readonly id: string }[],
): Promise<void> {
  await tx.query({
    name: "ingest_drop_keys",
    text: `DELETE FROM ingest.event_key k USING unnest($1::text[], $2::text[], $3::uuid[]) AS a (scope, key, id)
           WHERE k.scope = a.scope AND k.key = a.key AND k.id = a.id`,
    values: [keys.map(({ scope }) => scope), keys.map(({ key }) => key), keys.map(({ id }) => id)],
  });
}

/** Bodies of the events that were found to tell the same as these. */
export async function bodiesRepeating(db: Queryable, ids: readonly string[]): Promise<readonly string[]> {
  const { rows } = await db.query<{ bodyId: string }>({
    name: "ingest_repeating",
    text: `SELECT DISTINCT e.body_id AS "bodyId" FROM unnest($1::uuid[]) AS a (id) JOIN ingest.event e ON e.repeats = a.id`,
    values: [ids],
  });
  return rows.map(({ bodyId }) => bodyId);
}
