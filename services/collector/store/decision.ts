import type { OutgoingMessage } from "../../../lib/broker/confirms.js";
import { hexOf } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { EventType, PartnerEvent } from "../domain/event.js";
import type { AskedPayout } from "../events.js";
import { minorOf } from "./payout.js";

/** What campaigns says of a conversion. */
export type SpendOutcome = "spent" | "over_budget" | "not_active" | "wrong_currency";

/** An event that a decision is about, and what is known of it so far. */
export interface Decidable {
  readonly id: string;
  readonly type: EventType;
  readonly event: PartnerEvent;
  readonly traceId: string;
  /** Null while nothing was decided. */
  readonly outcome: SpendOutcome | null;
  /** On which the database is. */
  readonly timeline: string;
}

/** By `decidedKey`. */
export async function findDecidable(
  db: Queryable,
  keys: readonly { readonly source: string; readonly event_id: string }[],
): Promise<ReadonlyMap<string, Decidable>> {
  const { rows } = await db.query<{
    id: string;
    type: EventType;
    body: string;
    traceUuid: string;
    outcome: SpendOutcome | null;
    timeline: string;
  }>({
    name: "collector_decidable",
    text: `SELECT e.id, e.type, e.body, e.trace_id AS "traceUuid", d.outcome,
                  (SELECT ops.timeline()) AS timeline
           FROM unnest($1::text[], $2::text[]) AS a (source, event_id)
           JOIN collector.event_key k USING (source, event_id)
           JOIN collector.event e ON e.id = k.id
           LEFT JOIN collector.delivery d ON d.id = k.id AND d.destination = 'campaigns'`,
    values: [keys.map(({ source }) => source), keys.map(({ event_id }) => event_id)],
  });
  return new Map(
    rows.map(({ body, traceUuid, ...row }) => {
      const event = JSON.parse(body) as PartnerEvent;
      return [decidedKey(event), { ...row, event, traceId: hexOf(traceUuid) }];
    }),
  );
}

/** A source has no slash. */
export const decidedKey = ({ source, event_id }: { readonly source: string; readonly event_id: string }) =>
  `${source}/${event_id}`;

/** A decision to be noted, and the commission that it earns. */
export interface Decision {
  readonly id: string;
  readonly outcome: SpendOutcome;
  /** On which it was told; undefined: it was not said. */
  readonly timeline: string | undefined;
  readonly commission: { readonly asked: AskedPayout; readonly request: OutgoingMessage } | undefined;
}

/**
 * Notes decisions on conversions that wait for theirs, and asks for the commissions of those that were spent: one statement, which
 * is one transaction. One that was told on another timeline than the database is on by then is not noted.
 *
 * @param resendAfterS when a commission without an answer is asked for again
 * @returns ids of the conversions that were decided, and of those whose commission is asked for
 */
export async function noteDecisions(
  db: Queryable,
  decisions: readonly Decision[],
  resendAfterS: number,
): Promise<{ readonly decided: ReadonlySet<string>; readonly paying: ReadonlySet<string> }> {
  if (decisions.length === 0) {
    return { decided: new Set(), paying: new Set() };
  }
  // By id, so that two batches with the same conversions do not wait for each other.
  const sorted = decisions.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const commissions = sorted.flatMap(({ id, commission }) =>
    commission === undefined ? [] : { id, ...commission },
  );
  const { rows } = await db.query<{ decided: string[]; paying: string[] }>({
    name: "collector_decide",
    text: DECIDE,
    values: [
      sorted.map(({ id }) => id),
      sorted.map(({ outcome }) => outcome),
      commissions.map(({ id }) => id),
      commissions.map(({ asked }) => asked.idAfiliado),
      commissions.map(({ asked }) => asked.referenciaPago),
      commissions.map(({ asked }) => minorOf(asked)),
      commissions.map(({ asked }) => asked.moneda),
      commissions.map(({ request }) => request.properties.messageId),
      commissions.map(({ request }) => request.properties.type),
      commissions.map(({ request }) => JSON.stringify(request.properties.headers)),
      commissions.map(({ request }) => request.body.toString()),
      sorted.map(({ timeline }) => timeline ?? null),
      resendAfterS,
    ],
  });
  return { decided: new Set(rows[0]?.decided), paying: new Set(rows[0]?.paying) };
}

const DECIDE = `
  WITH decided AS (
    UPDATE collector.delivery d
    SET state = CASE a.outcome WHEN 'spent' THEN 'accepted' ELSE 'refused' END, outcome = a.outcome, changed_at = now()
    FROM unnest($1::uuid[], $2::text[], $12::text[]) AS a (id, outcome, timeline)
    WHERE d.id = a.id AND d.destination = 'campaigns' AND d.awaited AND d.state = 'sent'
      AND (a.timeline IS NULL OR a.timeline = (SELECT ops.timeline()))
    RETURNING d.id, d.outcome
  ), asked AS (
    SELECT a.*
    FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::uuid[], $9::text[], $10::jsonb[], $11::text[])
      AS a (id, id_afiliado, referencia_pago, amount, moneda, message_id, event, headers, body)
    JOIN decided USING (id)
  ), paying AS (
    INSERT INTO collector.payout (id, id_afiliado, referencia_pago, amount, moneda)
    SELECT id, id_afiliado, referencia_pago, amount, moneda FROM asked
    ON CONFLICT (id_afiliado, referencia_pago) DO NOTHING
    RETURNING id
  ), requested AS (
    INSERT INTO collector.outbox (message_id, event, headers, body)
    SELECT message_id, event, headers, body FROM asked JOIN paying USING (id)
  ), followed AS (
    UPDATE collector.delivery d
    SET state = CASE WHEN p.id IS NULL THEN 'refused' ELSE 'sent' END,
        outcome = CASE WHEN p.id IS NULL THEN CASE c.outcome WHEN 'spent' THEN 'reference_used' ELSE c.outcome END END,
        message_id = a.message_id, changed_at = now(),
        due_at = CASE WHEN p.id IS NOT NULL THEN now() + make_interval(secs => $13::float8) END
    FROM decided c LEFT JOIN paying p USING (id) LEFT JOIN (SELECT id, message_id FROM asked JOIN paying USING (id)) a USING (id)
    WHERE d.id = c.id AND d.destination = 'payouts' AND d.state = 'waiting'
  )
  SELECT ARRAY(SELECT id FROM decided) AS decided, ARRAY(SELECT id FROM paying) AS paying`;
