import { z } from "zod";
import type { EventContract } from "../../lib/messaging/event.js";
import { paymentId, traceId, userId } from "./fields.js";

const schema = z.object({
  id: paymentId,
  trace_id: traceId.optional(),
  status: z.enum(["APPROVED", "DECLINED"]),
  reason: z.enum(["approved", "fraud_detected"]),
  checked_at: z.iso.datetime(),
  /** From 0, harmless, to 1. */
  score: z.number().min(0).max(1).optional(),
  /** Names of the rules that raised the score. */
  reasons: z.array(z.string().max(100)).max(100).optional(),
  customer_id: userId.optional(),
});

/** fraud → payments, metrics: whether a payment looks like fraud. */
export const paymentsChecked: EventContract<z.output<typeof schema>> = {
  name: "payments.checked",
  version: 1,
  schema,
  key: ({ id }) => id,
};
