import { z } from "zod";
import { utcTime } from "../../../lib/domain/fields.js";
import { amount, asOf, instant, link, listOf, pageQuery, written } from "./common.js";
import { recordedLetter } from "./queues.js";

const paymentState = z.enum(["PENDING", "APPROVED", "DECLINED", "PARTIALLY_REFUNDED", "REFUNDED"]);

export const payment = z.object({
  id: z.uuid(),
  customer_id: z.string(),
  reference: z.string().nullable(),
  amount,
  refunded: amount,
  currency: z.string(),
  method: z.string(),
  state: paymentState,
  awaiting: z.enum(["check", "debit"]).nullable(),
  reason: z.string().nullable(),
  trace_id: z.string().meta({ description: "32 hex digits." }),
  created_at: instant,
  updated_at: instant,
});
export type Payment = z.output<typeof payment>;

/** GET payments?id&customer&reference&state&from&to&cursor; from and to are instants, the second one excluded. */
export const paymentQuery = z.strictObject({
  ...pageQuery,
  id: written(255)
    .min(1)
    .toLowerCase()
    .optional()
    .meta({ description: "The whole of it; none has one that is no UUID." }),
  customer: written(255).min(1).optional(),
  reference: written(255)
    .min(1)
    .optional()
    .meta({ description: "Of one customer's payments, or of the newest." }),
  state: paymentState.optional(),
  from: utcTime.optional(),
  to: utcTime.optional(),
});
export const paymentList = listOf(payment);

/** GET payments/:id */
export const paymentDetail = z.object({
  payment,
  timeline: z
    .array(
      z.object({
        at: instant,
        state: paymentState,
        awaiting: z.string().nullable(),
        event: z.string(),
        message_id: z.string(),
        trace_id: z.string(),
      }),
    )
    .meta({ description: "Oldest first." }),
  decision: z
    .object({
      outcome: z.enum(["approved", "declined", "cancelled"]),
      reason: z.string(),
      wallet_id: z.uuid().nullable(),
      refunded: amount.nullable(),
      decided_at: instant,
    })
    .nullable()
    .meta({ description: "Of the wallet; null: none yet." }),
  movements: z.array(
    z.object({ id: z.uuid(), kind: z.string(), amount, currency: z.string(), moved_at: instant }),
  ),
  events: z
    .array(
      z.object({
        id: z.uuid(),
        provider: z.string().nullable(),
        status: z.string(),
        received_at: instant,
      }),
    )
    .meta({ description: "Of providers, which name the payment's id; the newest hundred." }),
  letters: z.array(recordedLetter).meta({ description: "Of its traces: the payment's and its steps'." }),
  links: z.array(link),
  ...asOf,
});
