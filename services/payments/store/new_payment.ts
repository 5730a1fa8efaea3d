import type { OutgoingMessage } from "../../../lib/broker/confirms.js";
import { codeOf } from "../../../lib/errors.js";
import type { KeptAnswer, KeyedAnswer } from "../../../lib/http/idempotency.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Order, Payment } from "../domain/payment.js";
import { COLUMNS, type PaymentRow, paymentOf } from "./payment.js";

/** A payment to be entered, with what becomes of it in the same statement. */
export interface Entry {
  readonly order: Order;
  /** `payments.created`. */
  readonly event: OutgoingMessage;
  /** Kept under the request's key, where it has one. */
  readonly key: KeyedAnswer | undefined;
}

export type Entered =
  | { readonly kind: "entered" }
  /** The key was used before. */
  | { readonly kind: "kept"; readonly kept: KeptAnswer }
  /** The customer's reference was used before; the key is not kept yet. */
  | { readonly kind: "referenced"; readonly payment: Payment }
  /** A request with the same key or reference has not ended, maybe one of the same group. */
  | { readonly kind: "in flight" };

const UNIQUE = "23505";
const TRIES = 3;
const ENTERED: Entered = { kind: "entered" };

/**
 * Enters payments, their first steps, keys, references and events in one statement, which is one transaction. It waits for nobody:
 * a key that another transaction holds is left to be asked for again.
 *
 * @param resendAfterS when the command of each is due again
 */
export async function enterPayments(
  db: Queryable,
  entries: readonly Entry[],
  resendAfterS: number,
): Promise<readonly Entered[]> {
  const guarded = entries.some(({ key, order }) => key !== undefined || order.reference !== null);
  for (let tries = 1; ; tries++) {
    try {
      return await (guarded ? enterGuarded : enterFree)(db, entries, resendAfterS);
    } catch (error) {
      // Another one committed a key between our look and our lock. Now it is seen.
      if (codeOf(error) !== UNIQUE || tries === TRIES) {
        throw error;
      }
    }
  }
}

async function enterFree(
  db: Queryable,
  entries: readonly Entry[],
  resendAfterS: number,
): Promise<readonly Entered[]> {
  await db.query({ name: "saga_enter", text: FREE, values: [resendAfterS, ...columnsOf(entries)] });
  return entries.map(() => ENTERED);
}

interface Refused extends PaymentRow {
  readonly place: bigint;
  readonly keptStatus: number | null;
  readonly keptFingerprint: Buffer;
  readonly keptHeaders: Readonly<Record<string, string>>;
  readonly keptAnswer: string;
}

async function enterGuarded(
  db: Queryable,
  entries: readonly Entry[],
  resendAfterS: number,
): Promise<readonly Entered[]> {
  const { rows } = await db.query<Refused>({
    name: "saga_enter_guarded",
    text: GUARDED,
    values: [
      resendAfterS,
      ...columnsOf(entries),
      firsts(entries),
      entries.map(({ key }) => key?.scope ?? null),
      entries.map(({ key }) => key?.key ?? null),
      entries.map(({ key }) => key?.fingerprint ?? null),
      entries.map(({ key }) => key?.answer.status ?? null),
      entries.map(({ key }) => (key === undefined ? null : JSON.stringify(key.answer.headers))),
      entries.map(({ key }) => key?.answer.text ?? null),
      entries.map(({ order }) => order.reference),
    ],
  });
  const results = entries.map(() => ENTERED);
  for (const row of rows) {
    results[Number(row.place) - 1] = refusalOf(row);
  }
  return results;
}

function refusalOf(row: Refused): Entered {
  const { keptStatus: status, keptFingerprint: fingerprint, keptHeaders: headers, keptAnswer: answer } = row;
  if (status !== null) {
    return { kind: "kept", kept: { status, fingerprint, headers, answer } };
  }
  return row.paymentId === null ? { kind: "in flight" } : { kind: "referenced", payment: paymentOf(row) };
}

/** Of entries with one key, or one reference, the first may be entered; a lock does not tell two of one statement apart. */
function firsts(entries: readonly Entry[]): boolean[] {
  const seen = new Set<string>();
  return entries.map(({ key, order: { customerId, reference } }) => {
    const names = [
      ...(key === undefined ? [] : [`key\n${key.scope}\n${key.key}`]),
      ...(reference === null ? [] : [`reference\n${customerId}\n${reference}`]),
    ];
    const first = !names.some((name) => seen.has(name));
    for (const name of names) {
      seen.add(name);
    }
    return first;
  });
}

const columnsOf = (entries: readonly Entry[]) => [
  entries.map(({ order }) => order.paymentId),
  entries.map(({ order }) => order.customerId),
  entries.map(({ order }) => order.amount),
  entries.map(({ order }) => order.currency),
  entries.map(({ order }) => order.method),
  entries.map(({ order }) => order.traceId),
  entries.map(({ order }) => order.createdAt),
  entries.map(({ event }) => event.properties.messageId),
  entries.map(({ event }) => event.properties.type),
  entries.map(({ event }) => JSON.stringify(event.properties.headers)),
  entries.map(({ event }) => event.body.toString()),
];

const ARRAYS = `$2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::uuid[], $8::timestamptz[],
  $9::uuid[], $10::text[], $11::jsonb[], $12::text[]`;
const NAMES =
  "payment_id, customer_id, amount, currency, method, trace_id, created_at, message_id, event, event_headers, event_body";

/** What is entered of each row of `from`. */
const entering = (from: string, reference: string) => `
  paid AS (
    INSERT INTO saga.payment (payment_id, customer_id, reference, amount, currency, method, trace_id, created_at, updated_at, due_at)
    SELECT payment_id, customer_id, ${reference}, amount, currency, method, trace_id, created_at, created_at,
           now() + make_interval(secs => $1::float8)
    FROM ${from}
  ), stepped AS (
    INSERT INTO saga.step (payment_id, event, message_id, state, awaiting, trace_id)
    SELECT payment_id, event, message_id, 'PENDING', 'check', trace_id FROM ${from}
  ), announced AS (
    INSERT INTO saga.outbox (message_id, event, headers, body)
    SELECT message_id, event, event_headers, event_body FROM ${from}
  )`;

const FREE = `
  WITH asked AS (
    SELECT * FROM unnest(${ARRAYS}) AS a (${NAMES})
  ), ${entering("asked", "NULL")}
  SELECT`;

const GUARDED = `
  WITH asked AS (
    SELECT *
    FROM unnest(${ARRAYS}, $13::boolean[], $14::text[], $15::text[], $16::bytea[], $17::smallint[], $18::jsonb[], $19::text[],
                $20::text[]) WITH ORDINALITY
      AS a (${NAMES}, first, scope, key, fingerprint, status, headers, answer, reference, place)
  ), looked AS MATERIALIZED (
    SELECT a.*, k.status AS kept_status, k.fingerprint AS kept_fingerprint, k.headers AS kept_headers, k.answer AS kept_answer,
           r.payment_id AS known_id,
           -- The key before the reference, so that of two requests with both one gets both.
           CASE WHEN NOT a.first OR k.key IS NOT NULL OR r.reference IS NOT NULL THEN false
                WHEN a.key IS NOT NULL
                     AND NOT pg_try_advisory_xact_lock(hashtextextended(concat_ws(E'\\n', 'saga key', a.scope, a.key), 0)) THEN false
                WHEN a.reference IS NOT NULL
                     AND NOT pg_try_advisory_xact_lock(
                       hashtextextended(concat_ws(E'\\n', 'saga reference', a.customer_id, a.reference), 0)) THEN false
                ELSE true END AS ours
    FROM asked a
    LEFT JOIN saga.idempotency k ON k.scope = a.scope AND k.key = a.key
    LEFT JOIN saga.reference r ON r.customer_id = a.customer_id AND r.reference = a.reference
  ), ours AS (
    SELECT * FROM looked WHERE ours
  ), ${entering("ours", "reference")}, referenced AS (
    INSERT INTO saga.reference (customer_id, reference, payment_id)
    SELECT customer_id, reference, payment_id FROM ours WHERE reference IS NOT NULL
  ), kept AS (
    INSERT INTO saga.idempotency (scope, key, fingerprint, status, headers, answer)
    SELECT scope, key, fingerprint, status, headers, answer FROM ours WHERE key IS NOT NULL
  )
  SELECT l.place, kept_status AS "keptStatus", kept_fingerprint AS "keptFingerprint", kept_headers AS "keptHeaders",
         kept_answer AS "keptAnswer", ${COLUMNS}
  FROM looked l LEFT JOIN saga.payment p ON p.payment_id = l.known_id
  WHERE NOT l.ours`;
