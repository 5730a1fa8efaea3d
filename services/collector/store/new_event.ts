import { hash } from "node:crypto";
import type pg from "pg";
import type { OutgoingMessage } from "../../../lib/broker/confirms.js";
import { newId } from "../../../lib/domain/ids.js";
import { codeOf } from "../../../lib/errors.js";
import { canonicalJson } from "../../../lib/http/fingerprint.js";
import { one } from "../../../lib/postgres/one.js";
import { connect, type Pool, type Queryable } from "../../../lib/postgres/pool.js";
import type { SignedWebhook } from "../../../lib/webhook/verify.js";
import type { PartnerEvent } from "../domain/event.js";
import { WAYS, type Way } from "../domain/routing.js";
import { type AskedPayout, payoutOf, payoutRequestedEvent, toldEvent } from "../events.js";
import { minorOf } from "./payout.js";

/** An event to be entered, with all that is entered of it in the same statement. */
export interface Entry {
  readonly id: string;
  readonly source: string;
  readonly eventId: string;
  readonly type: PartnerEvent["type"];
  /** Canonical JSON. */
  readonly body: string;
  readonly fingerprint: Buffer;
  readonly traceId: string;
  readonly ways: readonly (Way & { readonly messageId: string | null })[];
  /** `collector.evt.<type>`. */
  readonly told: OutgoingMessage;
  /** What a payment asks for at once. */
  readonly payout: { readonly asked: AskedPayout; readonly request: OutgoingMessage } | undefined;
}

export function entryOf(event: PartnerEvent, traceId: string): Entry {
  const body = canonicalJson(event);
  const told = toldEvent(event, traceId);
  const asked = event.type === "payment" ? payoutOf(event) : undefined;
  const payout = asked && { asked, request: payoutRequestedEvent(asked, traceId) };
  const messageIds = {
    campaigns: told.properties.messageId ?? null,
    payouts: payout?.request.properties.messageId ?? null,
  };
  return {
    id: newId(),
    source: event.source,
    eventId: event.event_id,
    type: event.type,
    body,
    fingerprint: hash("sha256", body, "buffer"),
    traceId,
    ways: WAYS[event.type].map((way) => ({ ...way, messageId: messageIds[way.destination] })),
    told,
    payout,
  };
}

/** The events of a request. */
export interface Arrival {
  readonly entries: readonly Entry[];
  /** What it was signed with; undefined where nobody signs. */
  readonly webhook: (SignedWebhook & { readonly source: string }) | undefined;
}

export interface Entered {
  /** Places of the arrivals that were taken; of the others the same signature was taken before. */
  readonly admitted: ReadonlySet<number>;
  /** Ids of the entries whose source told nothing under their event id before. */
  readonly fresh: ReadonlySet<string>;
  /** Ids of those whose payout nobody had asked for. */
  readonly paying: ReadonlySet<string>;
}

const DEADLOCK = "40P01";
const TRIES = 3;
/** More events may take longer than a statement of a request may, on a machine that is busy. */
const LARGE = 1_000;
const LARGE_MS = 30_000;

/**
 * Enters events, keys, deliveries, payouts, messages and signatures in one statement, which is one transaction. Of a request whose
 * signature was taken before nothing is entered: two bodies may bear one, if their sender signs both.
 *
 * @param resendAfterS when what nobody answers is told again
 */
export async function enterEvents(
  pool: Pool,
  arrivals: readonly Arrival[],
  resendAfterS: number,
): Promise<Entered> {
  const events = arrivals.reduce((sum, { entries }) => sum + entries.length, 0);
  const statement = { name: "collector_enter", text: ENTER, values: columnsOf(arrivals, resendAfterS) };
  const enter = () => (events > LARGE ? patiently(pool, statement) : pool.query<EnteredRow>(statement));
  for (let tries = 1; ; tries++) {
    try {
      const { admitted, fresh, paying } = one((await enter()).rows);
      const unsigned = [...arrivals.keys()].filter((n) => arrivals[n]?.webhook === undefined);
      return {
        admitted: new Set([...admitted, ...unsigned]),
        fresh: new Set(fresh),
        paying: new Set(paying),
      };
    } catch (error) {
      // Two statements with the same events and payouts, in another order each.
      if (codeOf(error) !== DEADLOCK || tries === TRIES) {
        throw error;
      }
    }
  }
}

interface EnteredRow {
  readonly admitted: readonly number[];
  readonly fresh: readonly string[];
  readonly paying: readonly string[];
}

/** In no transaction, which would be over before all values are written; the connection goes with its setting. */
async function patiently(pool: Pool, statement: pg.QueryConfig): Promise<pg.QueryResult<EnteredRow>> {
  const client = await connect(pool);
  try {
    await client.query(`SET statement_timeout = ${LARGE_MS}`);
    return await client.query<EnteredRow>({ ...statement, query_timeout: LARGE_MS } as pg.QueryConfig);
  } finally {
    client.release(true);
  }
}

function columnsOf(arrivals: readonly Arrival[], resendAfterS: number): unknown[] {
  const webhooks = arrivals.flatMap(({ webhook }, n) => (webhook === undefined ? [] : { n, ...webhook }));
  const events = arrivals.flatMap(({ entries, webhook }, n) =>
    entries.map((entry) => ({ ...entry, signedBy: webhook === undefined ? null : n })),
  );
  const ways = events.flatMap(({ id, ways: all }) => all.map((way) => ({ id, ...way })));
  const payouts = events.flatMap(({ id, payout }) => (payout === undefined ? [] : { id, ...payout.asked }));
  const messages = events.flatMap(({ id, told, payout }) => [
    { id, message: told, asks: false },
    ...(payout === undefined ? [] : [{ id, message: payout.request, asks: true }]),
  ]);
  return [
    webhooks.map(({ n }) => n),
    webhooks.map(({ source }) => source),
    webhooks.map(({ webhookId }) => webhookId),
    webhooks.map(({ signedAt }) => signedAt),
    events.map(({ id }) => id),
    events.map(({ source }) => source),
    events.map(({ eventId }) => eventId),
    events.map(({ fingerprint }) => fingerprint),
    events.map(({ type }) => type),
    events.map(({ body }) => body),
    events.map(({ traceId }) => traceId),
    events.map(({ signedBy }) => signedBy),
    ways.map(({ id }) => id),
    ways.map(({ destination }) => destination),
    ways.map(({ state }) => state),
    ways.map(({ awaited }) => awaited),
    ways.map(({ messageId }) => messageId),
    payouts.map(({ id }) => id),
    payouts.map(({ idAfiliado }) => idAfiliado),
    payouts.map(({ referenciaPago }) => referenciaPago),
    payouts.map(minorOf),
    payouts.map(({ moneda }) => moneda),
    messages.map(({ id }) => id),
    messages.map(({ asks }) => asks),
    messages.map(({ message }) => message.properties.messageId),
    messages.map(({ message }) => message.properties.type),
    messages.map(({ message }) => JSON.stringify(message.properties.headers)),
    messages.map(({ message }) => message.body.toString()),
    resendAfterS,
  ];
}

const ENTER = `
  WITH signed AS (
    INSERT INTO collector.signed_request (source, webhook_id, signed_at)
    SELECT * FROM unnest($2::text[], $3::text[], $4::timestamptz[]) ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING
    RETURNING *
  ), admitted AS (
    SELECT n FROM unnest($1::integer[], $2::text[], $3::text[], $4::timestamptz[]) AS w (n, source, webhook_id, signed_at)
    JOIN signed USING (source, webhook_id, signed_at)
  ), asked AS (
    SELECT *
    FROM unnest($5::uuid[], $6::text[], $7::text[], $8::bytea[], $9::text[], $10::text[], $11::uuid[], $12::integer[])
      WITH ORDINALITY AS a (id, source, event_id, fingerprint, type, body, trace_id, signed_by, place)
    WHERE signed_by IS NULL OR signed_by IN (SELECT n FROM admitted)
  ), fresh AS (
    INSERT INTO collector.event_key (source, event_id, id, fingerprint)
    SELECT source, event_id, id, fingerprint FROM asked ORDER BY source, event_id, place
    ON CONFLICT (source, event_id) DO NOTHING
    RETURNING id
  ), stored AS (
    INSERT INTO collector.event (id, type, body, trace_id)
    SELECT id, type, body, trace_id FROM asked JOIN fresh USING (id)
  ), paying AS (
    INSERT INTO collector.payout (id, id_afiliado, referencia_pago, amount, moneda)
    SELECT p.*
    FROM unnest($18::uuid[], $19::text[], $20::text[], $21::bigint[], $22::text[]) AS p (id, id_afiliado, referencia_pago, amount, moneda)
    JOIN fresh USING (id)
    ORDER BY p.id_afiliado, p.referencia_pago, p.id
    ON CONFLICT (id_afiliado, referencia_pago) DO NOTHING
    RETURNING id
  ), delivered AS (
    INSERT INTO collector.delivery (id, destination, state, outcome, awaited, message_id, due_at)
    SELECT w.id, w.destination, CASE WHEN idle THEN 'refused' ELSE w.state END, CASE WHEN idle THEN 'reference_used' END, w.awaited,
           CASE WHEN NOT idle THEN w.message_id END,
           CASE WHEN NOT idle AND w.awaited AND w.state = 'sent' THEN now() + make_interval(secs => $29::float8) END
    FROM unnest($13::uuid[], $14::text[], $15::text[], $16::boolean[], $17::uuid[]) AS w (id, destination, state, awaited, message_id)
    JOIN fresh USING (id)
    LEFT JOIN paying p ON p.id = w.id
    -- Another event asked for its payout before.
    CROSS JOIN LATERAL (SELECT w.destination = 'payouts' AND w.state = 'sent' AND p.id IS NULL AS idle) AS i
  ), announced AS (
    INSERT INTO collector.outbox (message_id, event, headers, body)
    SELECT m.message_id, m.event, m.headers, m.body
    FROM unnest($23::uuid[], $24::boolean[], $25::uuid[], $26::text[], $27::jsonb[], $28::text[])
      AS m (id, asks, message_id, event, headers, body)
    JOIN fresh USING (id)
    WHERE NOT m.asks OR m.id IN (SELECT id FROM paying)
  )
  SELECT ARRAY(SELECT n FROM admitted) AS admitted, ARRAY(SELECT id FROM fresh) AS fresh, ARRAY(SELECT id FROM paying) AS paying`;

/** What sources told before under event ids, by `keyOf`. */
export async function findFingerprints(
  db: Queryable,
  keys: readonly Pick<Entry, "source" | "eventId">[],
): Promise<ReadonlyMap<string, Buffer>> {
  if (keys.length === 0) {
    return new Map();
  }
  const { rows } = await db.query<Pick<Entry, "source" | "eventId" | "fingerprint">>({
    name: "collector_fingerprints",
    text: `SELECT source, event_id AS "eventId", fingerprint
           FROM unnest($1::text[], $2::text[]) AS a (source, event_id) JOIN collector.event_key USING (source, event_id)`,
    values: [keys.map(({ source }) => source), keys.map(({ eventId }) => eventId)],
  });
  return new Map(rows.map((row) => [keyOf(row), row.fingerprint]));
}

/** A source has no slash. */
export const keyOf = ({ source, eventId }: Pick<Entry, "source" | "eventId">): string =>
  `${source}/${eventId}`;
