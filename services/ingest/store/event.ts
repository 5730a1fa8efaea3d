import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Method, Source, StatusCategory } from "../domain/normalised.js";

/** An event as it is shown. Amounts are decimal text. */
export interface ShownEvent {
  readonly id: string;
  readonly bodyId: string;
  readonly place: number;
  readonly source: string;
  readonly provider: string | null;
  readonly rule: string | null;
  readonly method: Method;
  readonly confidence: number;
  readonly status: StatusCategory;
  readonly code: string | null;
  readonly detail: string | null;
  readonly reason: string | null;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly amountUsd: string | null;
  readonly fxDay: string | null;
  readonly fxUsd: string | null;
  readonly fxSource: string | null;
  readonly merchant: string | null;
  readonly country: string | null;
  readonly occurredAt: Date | null;
  readonly receivedAt: Date;
  readonly providerEventId: string | null;
  readonly paymentRef: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly provenance: Readonly<Record<string, Source>>;
  readonly repeats: string | null;
  /** Of its payment, by all events of it; null where it names none. */
  readonly paymentStatus: StatusCategory | null;
}

const COLUMNS = `
  e.id, e.body_id AS "bodyId", e.place, b.source, e.provider, e.rule, e.method, e.confidence, e.status, e.code, e.detail, e.reason,
  e.amount::text, e.currency, e.amount_usd::text AS "amountUsd", e.fx_day AS "fxDay", r.usd::text AS "fxUsd", r.source AS "fxSource",
  e.merchant, e.country, e.occurred_at AS "occurredAt", e.received_at AS "receivedAt", e.provider_event_id AS "providerEventId",
  e.payment_ref AS "paymentRef", e.metadata, e.provenance, e.repeats, p.status AS "paymentStatus"`;

const JOINS = `
  JOIN ingest.body b ON b.id = e.body_id
  LEFT JOIN ingest.fx_rate r ON r.currency = e.currency AND r.day = e.fx_day
  LEFT JOIN ingest.payment p ON p.provider = coalesce(e.provider, '') AND p.payment_ref = e.payment_ref`;

export async function findEvent(db: Queryable, id: string): Promise<ShownEvent | undefined> {
  const { rows } = await db.query<ShownEvent>({
    name: "ingest_find",
    text: `SELECT ${COLUMNS} FROM ingest.event e ${JOINS} WHERE e.id = $1`,
    values: [id],
  });
  return rows[0];
}

/** Which events a list shows; what is left out is any. */
export interface EventFilter {
  readonly provider?: string | undefined;
  readonly status?: StatusCategory | undefined;
  readonly paymentRef?: string | undefined;
  /** Received from then on, and before then. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** The id where the page before ended. */
  readonly before?: string | undefined;
  readonly limit: number;
}

const LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Of these there are indexes of their own, which no parameter would find. The others are found soon, going back from the newest. */
const INDEXED = {
  unprocessed: ["UNPROCESSED"],
  rare: ["FAILED", "REFUNDED", "CHARGEBACK"],
} satisfies Record<string, readonly StatusCategory[]>;

function indexOf(status: StatusCategory | undefined): { readonly name: string; readonly sql: string } {
  const found = Object.entries(INDEXED).find(([, statuses]) => statuses.some((each) => each === status));
  return found === undefined
    ? { name: "", sql: "" }
    : { name: found[0], sql: ` AND e.status IN (${found[1].map((each) => `'${each}'`).join(", ")})` };
}

/** Newest first. Each combination of filters is a statement of its own, so that the planner sees which index it may use. */
export async function listEvents(db: Queryable, filter: EventFilter): Promise<readonly ShownEvent[]> {
  const { provider, status, paymentRef, from, to, before = LAST, limit } = filter;
  const index = indexOf(status);
  const conditions: readonly (readonly [name: string, sql: (n: number) => string, value: unknown])[] = [
    ["provider", (n) => `e.provider = $${n}`, provider],
    ["status", (n) => `e.status = $${n}${index.sql}`, status],
    ["payment", (n) => `e.payment_ref = $${n}`, paymentRef],
    ["from", (n) => `e.id >= ops.uuid_floor($${n})`, from],
    ["to", (n) => `e.id < ops.uuid_floor($${n})`, to],
  ];
  const asked = conditions.filter(([, , value]) => value !== undefined);
  const where = asked.map(([, sql], i) => ` AND ${sql(i + 3)}`).join("");
  const { rows } = await db.query<ShownEvent>({
    name: ["ingest_list", ...asked.map(([name]) => name), index.name].join("_"),
    text: `SELECT ${COLUMNS}
           FROM (SELECT * FROM ingest.event e WHERE e.id < $1${where} ORDER BY e.id DESC LIMIT $2) e ${JOINS}
           ORDER BY e.id DESC`,
    values: [before, limit, ...asked.map(([, , value]) => value)],
  });
  return rows;
}
