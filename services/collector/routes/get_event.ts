import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { eventId, partnerSource } from "../../contracts/fields.js";
import { CollectorError } from "../errors.js";
import { Recent } from "../recent.js";
import { findEvent, type StoredEvent } from "../store/event.js";
import { keyOf } from "../store/new_event.js";

const delivery = z.object({
  destination: z.enum(["campaigns", "payouts"]),
  state: z.enum(["waiting", "sent", "accepted", "refused"]),
  outcome: z
    .enum([
      "spent",
      "over_budget",
      "not_active",
      "wrong_currency",
      "pending",
      "completed",
      "failed",
      "returned",
      "reference_used",
    ])
    .nullable(),
  reason: z.string().nullable(),
  id_pago: z.uuid().nullable(),
  changed_at: z.iso.datetime(),
});

const stored = z.object({
  source: z.string(),
  event_id: z.string(),
  type: z.enum(["click", "impression", "conversion", "payment"]),
  occurred_at: z.iso.datetime(),
  session_id: z.string().nullable(),
  data: z.record(z.string(), z.string()),
  received_at: z.iso.datetime(),
  trace_id: z.string(),
  deliveries: z.array(delivery),
});

export const getEvent = (pool: Pool) => {
  const recent = new Recent<StoredEvent>((key) => {
    const end = key.indexOf("/");
    return findEvent(pool, key.slice(0, end), key.slice(end + 1));
  });
  return defineRoute({
    method: "GET",
    path: "/event-collector/events/:source/:event_id",
    summary: "An event, and what became of it at each destination",
    request: { params: z.object({ source: partnerSource, event_id: eventId }) },
    answers: { 200: stored },
    handle: async ({ params: { source, event_id } }) => {
      const found = await recent.get(keyOf({ source, eventId: event_id }));
      if (found === undefined) {
        throw new CollectorError("EVENT_UNKNOWN", `${source} told no event ${event_id}.`);
      }
      return { status: 200, body: bodyOf(found) };
    },
  });
};

function bodyOf({ event, traceId, receivedAt, deliveries }: StoredEvent): z.output<typeof stored> {
  const { source, event_id, type, occurred_at, session_id, data } = event;
  return {
    source,
    event_id,
    type,
    occurred_at,
    session_id: session_id ?? null,
    data,
    received_at: receivedAt.toISOString(),
    trace_id: traceId,
    deliveries: deliveries.map(({ destination, state, outcome, reason, idPago, changedAt }) => ({
      destination,
      state,
      outcome: outcome as z.output<typeof delivery>["outcome"],
      reason,
      id_pago: idPago,
      changed_at: changedAt.toISOString(),
    })),
  };
}
