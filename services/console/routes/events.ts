import { inflateRawSync } from "node:zlib";
import { z } from "zod";
import { isUuid } from "../../../lib/domain/ids.js";
import { keyset } from "../../../lib/http/page.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import type { Link } from "../contracts/common.js";
import { type Event, eventDetail, eventList, eventQuery } from "../contracts/events.js";
import { known } from "../errors.js";
import {
  type BodyRow,
  type EventDetailRow,
  type EventRow,
  findBody,
  findEvent,
  formerOf,
  listEvents,
} from "../store/event.js";
import { bodyOfLetter, lettersOf } from "../store/letter.js";
import { findPayment } from "../store/payment.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

/** More than a person reads. */
const MOST_RAW_BYTES = 64 * 1_024;

const pages = keyset("console events", { id: z.uuid() });

export const getEvents = (resources: Resources) =>
  look(resources, {
    path: "/events",
    summary: "Events of providers, newest first",
    request: { query: eventQuery.extend({ cursor: pages.query.cursor }) },
    answer: eventList,
    handle: async ({ query: { cursor, ...filter } }) => {
      const { rows, next } = await listEvents(resources.reads, { ...filter, before: cursor?.id });
      return {
        items: rows.map(bodyOf),
        next: next === undefined ? null : pages.cursorAt({ id: String(next) }),
      };
    },
  });

export const getEvent = (resources: Resources) =>
  look(resources, {
    path: "/events/:id",
    summary: "An event as it came beside what it was understood as",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answer: eventDetail,
    handle: async ({ params: { id } }) => {
      const { pool } = resources;
      const event = known(await findEvent(pool, id), `event ${id}`);
      const [body, former, letters, links] = await Promise.all([
        findBody(pool, event.bodyId),
        formerOf(pool, id),
        lettersOf(pool, [id]),
        linksOf(pool, event),
      ]);
      return {
        event: bodyOf(event),
        normalised: normalisedOf(event),
        raw: body === undefined ? null : rawOf(body, event),
        provenance: Object.entries(event.provenance).map(([field, { pointer, text = null }]) => ({
          ...{ field, pointer, text },
        })),
        payment_status: event.paymentStatus,
        former: former.map(({ changedAt, ...row }) => ({ ...row, changed_at: changedAt.toISOString() })),
        letters: letters.map(bodyOfLetter),
        links,
      };
    },
  });

/** The payment of ours that a provider names by its id, and the event that it repeats. */
async function linksOf(pool: Pool, { paymentRef, repeats }: EventDetailRow): Promise<Link[]> {
  const payment = paymentRef !== null && isUuid(paymentRef) ? await findPayment(pool, paymentRef) : undefined;
  return [
    ...(payment === undefined ? [] : [{ kind: "payment" as const, id: payment.id, label: "payment" }]),
    ...(repeats === null ? [] : [{ kind: "event" as const, id: repeats, label: "told before" }]),
  ];
}

const bodyOf = (row: EventRow): Event => ({
  id: row.id,
  provider: row.provider,
  source: row.source,
  status: row.status,
  method: row.method,
  confidence: row.confidence,
  rule: row.rule,
  code: row.code,
  amount: row.amount,
  currency: row.currency,
  amount_usd: row.amountUsd,
  payment_ref: row.paymentRef,
  merchant: row.merchant,
  country: row.country,
  occurred_at: row.occurredAt?.toISOString() ?? null,
  received_at: row.receivedAt.toISOString(),
});

const normalisedOf = (row: EventDetailRow) => ({
  detail: row.detail,
  reason: row.reason,
  undoes: row.undoes,
  provider_event_id: row.providerEventId,
  fx_day: row.fxDay,
  latency_ms: row.latencyMs,
  attempts: row.attempts,
  retry_at: row.retryAt?.toISOString() ?? null,
  repeats: row.repeats,
  metadata: { ...row.metadata },
});

/** A text may be cut in the middle of a character: that one is left out. */
function rawOf({ packed, hint }: BodyRow, { bodyId, place }: EventRow) {
  const whole = inflateRawSync(packed);
  const cut = whole.length > MOST_RAW_BYTES;
  const text = new TextDecoder().decode(whole.subarray(0, MOST_RAW_BYTES), { stream: cut });
  return { body_id: bodyId, encoding: "utf8" as const, text, bytes: whole.length, cut, hint, place };
}
