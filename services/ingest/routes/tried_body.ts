import { z } from "zod";
import { METHODS, type Normalised, STATUS_CATEGORIES } from "../domain/normalised.js";

const text = z.string().nullable();

/** What an event would come to. */
export const triedBody = z.object({
  status_category: z.enum(STATUS_CATEGORIES),
  normalization_method: z.enum(METHODS),
  confidence_score: z.number(),
  rule: text,
  unprocessed: z.object({ code: z.string(), detail: z.string() }).nullable(),
  failure_reason: text,
  amount: text,
  currency: text,
  merchant_name: text,
  provider: text,
  country: text,
  created_at: text,
  provider_event_id: text,
  payment_ref: text,
  provenance: z.record(z.string(), z.object({ pointer: z.string(), text: z.string().optional() })),
});

export const triedBodyOf = (event: Normalised): z.input<typeof triedBody> => ({
  status_category: event.status,
  normalization_method: event.method,
  confidence_score: event.confidence,
  rule: event.rule,
  unprocessed: event.unprocessed,
  failure_reason: event.reason,
  amount: event.amount,
  currency: event.currency,
  merchant_name: event.merchant,
  provider: event.provider,
  country: event.country,
  created_at: event.occurredAt?.toISOString() ?? null,
  provider_event_id: event.providerEventId,
  payment_ref: event.paymentRef,
  provenance: { ...event.provenance },
});
