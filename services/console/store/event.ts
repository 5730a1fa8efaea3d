import { LAST_ID } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Event } from "../contracts/events.js";
import { byValue, type Walked, walk } from "./walk.js";

export interface EventRow {
  readonly id: string;
  readonly bodyId: string;
  readonly place: number;
  readonly provider: string | null;
  readonly source: string;
  readonly status: Event["status"];
  readonly method: Event["method"];
  readonly confidence: number;
  readonly rule: string | null;
  readonly code: string | null;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly amountUsd: string | null;
  readonly paymentRef: string | null;
  readonly merchant: string | null;
  readonly country: string | null;
  readonly occurredAt: Date | null;
  readonly receivedAt: Date;
}

/** numeric comes as decimal text. */
const COLUMNS = `id, body_id AS "bodyId", place, provider, status, method, confidence, rule, code, amount, currency,
  amount_usd AS "amountUsd", payment_ref AS "paymentRef", merchant, country, occurred_at AS "occurredAt", received_at AS "receivedAt"`;

const sourceOf = (body: string) =>
  `coalesce((SELECT source FROM ingest.console_body WHERE id = ${body}), '') AS source`;

export interface EventFilter {
  readonly payment_ref?: string | undefined;
  readonly provider?: string | undefined;
  readonly status?: Event["status"] | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** The id where the page before ended. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** What an index of its own leads to. */
const INDEXED = ["UNPROCESSED", "FAILED", "REFUNDED", "CHARGEBACK"];

/** Newest first. */
export const listEvents = (
  db: Queryable,
  { payment_ref: payment, provider, status, from, to, before = LAST_ID, limit }: EventFilter,
): Promise<Walked<EventRow>> => {
  // A payment has few events: where one is named its index leads, and all else is looked at.
  const isLed = payment !== undefined || provider !== undefined;
  const { led, filters } = byValue({
    ...{ column: "status", value: status, indexed: INDEXED, isLed },
  });
  return walk<EventRow>(db, {
    ...{
      view: "ingest.console_event",
      columns: `${COLUMNS}, ${sourceOf("body_id")}`,
      id: "id",
      before,
      limit,
    },
    led: [
      payment === undefined ? undefined : [(place) => `payment_ref = ${place}`, payment],
      provider === undefined || payment !== undefined
        ? undefined
        : [(place) => `provider = ${place}`, provider],
      from === undefined ? undefined : [(place) => `id >= ops.uuid_floor(${place})`, from],
      to === undefined ? undefined : [(place) => `id < ops.uuid_floor(${place})`, to],
      ...led,
    ],
    filters: payment === undefined ? filters : { ...filters, provider },
  });
};

/** What is told of one event besides. */
export interface EventDetailRow extends EventRow {
  readonly detail: string | null;
  readonly reason: string | null;
  readonly undoes: string | null;
  readonly providerEventId: string | null;
  readonly fxDay: string | null;
  readonly latencyMs: number;
  readonly attempts: number;
  readonly retryAt: Date | null;
  readonly repeats: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly provenance: Readonly<Record<string, { readonly pointer: string; readonly text?: string }>>;
  readonly paymentStatus: string | null;
}

export async function findEvent(db: Queryable, id: string): Promise<EventDetailRow | undefined> {
  const { rows } = await db.query<EventDetailRow>({
    name: "console_event",
    text: `SELECT ${COLUMNS}, ${sourceOf("e.body_id")}, detail, reason, undoes, provider_event_id AS "providerEventId",
                  fx_day AS "fxDay", latency_ms AS "latencyMs", attempts, retry_at AS "retryAt", repeats, metadata, provenance,
                  (SELECT p.status FROM ingest.console_payment p
                   WHERE p.provider = coalesce(e.provider, '') AND p.payment_ref = e.payment_ref) AS "paymentStatus"
           FROM ingest.console_event e WHERE id = $1`,
    values: [id],
  });
  return rows[0];
}

export interface BodyRow {
  /** UTF-8, as ingest packs it (deflate): what came was within the limits of its endpoints. */
  readonly packed: Buffer;
  readonly hint: string | null;
}

export async function findBody(db: Queryable, id: string): Promise<BodyRow | undefined> {
  const { rows } = await db.query<BodyRow>({
    name: "console_body",
    text: "SELECT bytes AS packed, hint FROM ingest.console_body WHERE id = $1",
    values: [id],
  });
  return rows[0];
}

export interface FormerRow {
  readonly changedAt: Date;
  readonly cause: string;
  readonly status: string;
  readonly rule: string | null;
}

/** Newest first. */
export async function formerOf(db: Queryable, id: string): Promise<readonly FormerRow[]> {
  const { rows } = await db.query<FormerRow>({
    name: "console_former",
    text: `SELECT changed_at AS "changedAt", cause, coalesce(status, '') AS status, rule
           FROM ingest.console_former_event WHERE event_id = $1 ORDER BY changed_at DESC LIMIT 100`,
    values: [id],
  });
  return rows;
}

export interface NamingRow {
  readonly id: string;
  readonly provider: string | null;
  readonly status: string;
  readonly receivedAt: Date;
}

/** Events that name a payment by its id, which no other has; the newest hundred. A reference is one customer's alone. */
export async function eventsNaming(db: Queryable, payment: string): Promise<readonly NamingRow[]> {
  const { rows } = await db.query<NamingRow>({
    name: "console_naming",
    text: `SELECT id, provider, status, received_at AS "receivedAt"
           FROM ingest.console_event WHERE payment_ref = $1 ORDER BY id DESC LIMIT 100`,
    values: [payment],
  });
  return rows;
}
