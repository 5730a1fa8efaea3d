import { z } from "zod";
import { FAILURE_REASONS, METHODS, STATUS_CATEGORIES, UNPROCESSED_CODES } from "../domain/normalised.js";
import type { ShownEvent } from "../store/event.js";

const text = z.string().nullable();
const decimal = z.string().nullable();

/** An event as it was understood. What was sent is not in it. */
export const eventBody = z.object({
  id: z.uuid(),
  merchant_name: text,
  provider: text,
  country: text,
  status_category: z.enum(STATUS_CATEGORIES),
  failure_reason: z.enum(FAILURE_REASONS).nullable(),
  amount_usd: decimal.meta({ description: "null: nobody knows what its currency was worth." }),
  created_at: z.iso
    .datetime()
    .meta({ description: "When it happened by the provider, else when it was received." }),
  metadata: z.record(z.string(), z.string()),
  amount: decimal,
  currency: text,
  fx: z
    .object({ usd: z.string(), day: z.iso.date(), source: z.string() })
    .nullable()
    .meta({ description: "The rate of amount_usd; USD needs none." }),
  provider_event_id: text,
  payment_ref: text,
  payment_status: z
    .enum(STATUS_CATEGORIES)
    .nullable()
    .meta({ description: "How its payment stands, by all events of it." }),
  normalization_method: z.enum(METHODS),
  confidence_score: z.number().min(0).max(1),
  rule: text,
  unprocessed: z.object({ code: z.enum(UNPROCESSED_CODES), detail: z.string() }).nullable(),
  provenance: z.record(z.string(), z.object({ pointer: z.string(), text: z.string().optional() })),
  occurred_at: z.iso.datetime().nullable(),
  received_at: z.iso.datetime(),
  source: z.string(),
  body_id: z.uuid().meta({ description: "The same for all events of one body." }),
  repeat_of: z
    .uuid()
    .nullable()
    .meta({ description: "It tells the same as this event, and counts nowhere." }),
});

export function bodyOf(event: ShownEvent): z.output<typeof eventBody> {
  const { code, detail, occurredAt, receivedAt, fxDay, fxUsd, fxSource } = event;
  return {
    id: event.id,
    merchant_name: event.merchant,
    provider: event.provider,
    country: event.country,
    status_category: event.status,
    failure_reason: event.reason as z.output<typeof eventBody>["failure_reason"],
    amount_usd: event.amountUsd,
    created_at: (occurredAt ?? receivedAt).toISOString(),
    metadata: event.metadata,
    amount: event.amount,
    currency: event.currency,
    fx: fxDay === null || fxUsd === null ? null : { usd: fxUsd, day: fxDay, source: fxSource ?? "" },
    provider_event_id: event.providerEventId,
    payment_ref: event.paymentRef,
    payment_status: event.paymentStatus,
    normalization_method: event.method,
    confidence_score: event.confidence,
    rule: event.rule,
    unprocessed:
      code === null ? null : { code: code as (typeof UNPROCESSED_CODES)[number], detail: detail ?? "" },
    provenance: event.provenance,
    occurred_at: occurredAt?.toISOString() ?? null,
    received_at: receivedAt.toISOString(),
    source: event.source,
    body_id: event.bodyId,
    repeat_of: event.repeats,
  };
}
