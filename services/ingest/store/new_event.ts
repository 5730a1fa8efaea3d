import { type CopyValue, copyAtOnce, copyLine } from "../../../lib/postgres/copy_lines.js";
import type { Client, Queryable } from "../../../lib/postgres/pool.js";
import type { Key, NewEvent, StoredBody } from "../arrival.js";
import type { Method, StatusCategory } from "../domain/normalised.js";
import { LostRace } from "../racing.js";

/** An event as whoever brought it is told. */
export interface ToldEvent {
  readonly id: string;
  readonly status: StatusCategory;
  readonly method: Method;
  readonly confidence: number;
  readonly rule: string | null;
  readonly code: string | null;
  readonly detail: string | null;
}

/** No scope has a line's end. */
export const keyText = ({ scope, key }: Key): string => `${scope}\n${key}`;

/** Events that came first under keys, by `keyText`. */
export async function findKnown(
  db: Queryable,
  keys: readonly Key[],
): Promise<ReadonlyMap<string, ToldEvent>> {
  if (keys.length === 0) {
    return new Map();
  }
  const { rows } = await db.query<ToldEvent & Key>({
    name: "ingest_known",
    text: `SELECT k.scope, k.key, e.id, e.status, e.method, e.confidence, e.rule, e.code, e.detail
           FROM unnest($1::text[], $2::text[]) AS a (scope, key)
           JOIN ingest.event_key k USING (scope, key) JOIN ingest.event e ON e.id = k.id`,
    values: columnsOf(keys),
  });
  return new Map(rows.map((row) => [keyText(row), row]));
}

/**
 * Enters keys that were free. Waits for whoever enters the same just now, in the order of the keys.
 *
 * @throws LostRace when one is not free any more
 */
export async function enterKeys(
  tx: Queryable,
  keys: readonly (Key & { readonly id: string })[],
): Promise<void> {
  if (keys.length === 0) {
    return;
  }
  const { rowCount } = await tx.query({
    name: "ingest_enter_keys",
    text: `INSERT INTO ingest.event_key (scope, key, id)
           SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[]) ORDER BY 1, 2
           ON CONFLICT DO NOTHING`,
    values: [...columnsOf(keys), keys.map(({ id }) => id)],
  });
  if (rowCount !== keys.length) {
    throw new LostRace();
  }
}

const columnsOf = (keys: readonly Key[]): unknown[] => [
  keys.map(({ scope }) => scope),
  keys.map(({ key }) => key),
];

export async function enterBodies(tx: Queryable, bodies: readonly StoredBody[]): Promise<void> {
  await tx.query({
    name: "ingest_enter_bodies",
    text: `INSERT INTO ingest.body (id, bytes, sha256, is_text, hint, source, source_key, received_at, merchant, country)
           SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::boolean[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
                                $9::text[], $10::text[])`,
    values: [
      bodies.map(({ id }) => id),
      bodies.map(({ bytes }) => bytes),
      bodies.map(({ sha256 }) => sha256),
      bodies.map(({ isText }) => isText),
      bodies.map(({ hint }) => hint),
      bodies.map(({ source }) => source),
      bodies.map(({ sourceKey }) => sourceKey),
      bodies.map(({ receivedAt }) => receivedAt),
      bodies.map(({ merchant }) => merchant.name),
      bodies.map(({ merchant }) => merchant.country),
    ],
  });
}

/** An event that is entered, and when it is to be tried again. */
export interface EnteredEvent extends NewEvent {
  readonly retryAt: Date | null;
}

/** By COPY: 800 events take half the time that they took as arrays of an INSERT, on either side; ten take as long. */
export async function enterEvents(tx: Client, events: readonly EnteredEvent[]): Promise<void> {
  if (events.length === 0) {
    return;
  }
  const inUsd = await findInUsd(tx, events);
  const lines = events.map((event, i) => {
    const { id, bodyId, place, receivedAt, latencyMs, retryAt, taken } = event;
    const { amountUsd = null, fxDay = null } = inUsd.get(i) ?? {};
    const own = [id, bodyId, place, receivedAt, latencyMs, retryAt];
    return copyLine([...own, ...TAKEN_FIELDS.map((field) => taken[field]), amountUsd, fxDay]);
  });
  await copyAtOnce(tx, `ingest.event (${ENTERED})`, lines.join(""));
}

/** Amounts in USD, by the place of their event; of those without an amount there is none. */
async function findInUsd(db: Queryable, events: readonly NewEvent[]): Promise<ReadonlyMap<number, InUsd>> {
  const places = [...events.keys()].filter((i) => events[i]?.taken.amount != null);
  const priced = places.map((i) => events[i] as NewEvent);
  const { rows } = await db.query<InUsd & { place: number }>({
    name: "ingest_in_usd",
    text: `SELECT a.place, u.amount_usd::text AS "amountUsd", fx.day AS "fxDay"
           FROM unnest($1::integer[], $2::numeric[], $3::text[], $4::timestamptz[], $5::timestamptz[])
             AS a (place, amount, currency, occurred_at, received_at) ${IN_USD}`,
    values: [
      places,
      priced.map(({ taken }) => taken.amount),
      priced.map(({ taken }) => taken.currency),
      priced.map(({ taken }) => taken.occurredAt),
      priced.map(({ receivedAt }) => receivedAt),
    ],
  });
  return new Map(rows.map((row) => [row.place, row]));
}

interface InUsd {
  readonly amountUsd: string | null;
  readonly fxDay: string | null;
}

/** Fields of what an event was taken for, in the order of `TAKEN`. */
const TAKEN_FIELDS = [
  ...(["provider", "rule", "method", "confidence", "status", "code", "detail", "reason", "undoes"] as const),
  ...(["amount", "amountMinor", "currency", "merchant", "country", "occurredAt"] as const),
  ...(["providerEventId", "paymentRef", "dedupKey", "metadata", "provenance"] as const),
];

/** Columns of what events were taken for, in the order of `TAKEN`. */
export const takenColumns = (taken: readonly NewEvent["taken"][]): (readonly CopyValue[])[] =>
  TAKEN_FIELDS.map((field) => taken.map((each) => each[field]));

/** What an event is taken for: columns and their types. */
export const TAKEN = {
  names: `provider, rule, method, confidence, status, code, detail, reason, undoes, amount, amount_minor, currency, merchant, country,
    occurred_at, provider_event_id, payment_ref, dedup_key, metadata, provenance`,
  /** @param first number of the parameter */
  types: (first: number): string =>
    [
      ..."text text text float8 text text text text text numeric bigint text text text timestamptz text text text".split(
        " ",
      ),
      ..."jsonb jsonb".split(" "),
    ]
      .map((type, i) => `$${first + i}::${type}[]`)
      .join(", "),
};

/** What an amount is in USD, by the latest rate up to the day. Nothing is known of what has no rate. */
export const IN_USD = `
  LEFT JOIN LATERAL (
    SELECT day, usd FROM ingest.fx_rate r
    WHERE r.currency = a.currency AND r.day <= (coalesce(a.occurred_at, a.received_at) AT TIME ZONE 'UTC')::date
    ORDER BY r.day DESC LIMIT 1) fx ON a.amount IS NOT NULL
  CROSS JOIN LATERAL (SELECT CASE WHEN a.currency = 'USD' THEN a.amount ELSE round(a.amount * fx.usd, 2) END AS amount_usd) u`;

const ENTERED = `id, body_id, place, received_at, latency_ms, retry_at, ${TAKEN.names}, amount_usd, fx_day`;
