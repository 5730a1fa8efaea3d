import { z } from "zod";
import { utcTime } from "../../../lib/domain/fields.js";
import { asOf, count, instant, link, listOf, pageQuery, written } from "./common.js";
import { recordedLetter } from "./queues.js";

const eventStatus = z.enum([
  "APPROVED",
  "PENDING",
  "DECLINED",
  "FAILED",
  "REFUNDED",
  "CHARGEBACK",
  "UNPROCESSED",
]);
const method = z.enum(["rule", "learned", "ai", "none"]);
const text = z.string().nullable();

export const event = z.object({
  id: z.uuid(),
  provider: text,
  source: z.string(),
  status: eventStatus,
  method,
  confidence: z.number().min(0).max(1),
  rule: text,
  code: text.meta({ description: "Why it is UNPROCESSED." }),
  amount: text.meta({ description: "Decimal text as the event has it; its currency may be unknown." }),
  currency: text,
  amount_usd: text,
  payment_ref: text,
  merchant: text,
  country: text,
  occurred_at: instant.nullable(),
  received_at: instant,
});
export type Event = z.output<typeof event>;

/** GET events?payment_ref&provider&status&from&to&cursor; from and to are of when they were received. */
export const eventQuery = z.strictObject({
  ...pageQuery,
  payment_ref: written(255)
    .min(1)
    .optional()
    .meta({ description: "The payment's id, as its provider has it." }),
  provider: written(50).min(1).optional(),
  status: eventStatus.optional(),
  from: utcTime.optional(),
  to: utcTime.optional(),
});
export const eventList = listOf(event);

/** GET events/:id */
export const eventDetail = z.object({
  event,
  normalised: z.object({
    detail: text.meta({ description: "In words, why it is UNPROCESSED." }),
    reason: text,
    undoes: text,
    provider_event_id: text,
    fx_day: z.iso.date().nullable(),
    latency_ms: count,
    attempts: count,
    retry_at: instant.nullable(),
    repeats: z
      .uuid()
      .nullable()
      .meta({ description: "It tells the same as this event, and counts nowhere." }),
    metadata: z.record(z.string(), z.string()),
  }),
  raw: z
    .object({
      body_id: z.uuid(),
      encoding: z.enum(["utf8", "base64"]),
      text: z.string().meta({ description: "At most 64 KiB of it; card data was masked when it came." }),
      bytes: count.meta({ description: "Of all." }),
      cut: z.boolean(),
      hint: text,
      place: count.meta({ description: "Which of the body's events it is, from 0." }),
    })
    .nullable()
    .meta({ description: "null: not kept any more." }),
  provenance: z.array(
    z.object({
      field: z.string(),
      pointer: z
        .string()
        .meta({ description: "JSON Pointer into what was sent, or a name of where it is from." }),
      text: text.meta({ description: "As it stood there." }),
    }),
  ),
  payment_status: text.meta({ description: "How its payment stands by all of its events." }),
  former: z
    .array(z.object({ changed_at: instant, cause: z.string(), status: z.string(), rule: text }))
    .meta({ description: "What it was taken for before." }),
  letters: z.array(recordedLetter).meta({ description: "Of attempts to understand it." }),
  links: z.array(link),
  ...asOf,
});

/** GET rules */
export const rules = z.object({
  version: z.string(),
  digest: z.string(),
  items: z.array(
    z.object({
      rule: z.string(),
      provider: z.string(),
      format: z.string(),
      data: z.record(z.string(), z.unknown()),
    }),
  ),
  ...asOf,
});

export const mapping = z.object({
  id: z.uuid(),
  rule: z.string(),
  provider: text,
  source: z.string(),
  format: z.string(),
  state: z.enum(["candidate", "promoted", "rejected", "retired"]),
  votes: count.meta({ description: "Calls of the model that gave it." }),
  confirmations: count,
  waits_for: text.meta({ description: "Why only a person can make it a rule." }),
  decided_by: text,
  created_at: instant,
  changed_at: instant,
  mapping: z.record(z.string(), z.unknown()).meta({ description: "Paths, unit and value maps." }),
});
export type Mapping = z.output<typeof mapping>;

/** GET mappings?state=pending&cursor; pending are candidates. POST mappings/:id/accept and reject take `actionRequest`. */
export const mappingQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(["pending", "promoted", "rejected", "retired"]).default("pending"),
});
export const mappingList = listOf(mapping);
