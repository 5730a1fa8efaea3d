import { z } from "zod";
import { amount, currency } from "../../lib/domain/fields.js";
import type { EventContract } from "../../lib/messaging/event.js";
import { paymentId, paymentMethod, traceId, userId } from "./fields.js";

const schema = z.object({
  id: paymentId,
  amount,
  currency,
  status: z.literal("PENDING"),
  method: paymentMethod,
  customer_id: userId,
  trace_id: traceId.optional(),
  created_at: z.iso.datetime(),
});

/** payments → fraud, metrics: somebody wants to pay. */
export const paymentsCreated: EventContract<z.output<typeof schema>> = {
  name: "payments.created",
  version: 1,
  schema,
  key: ({ id }) => id,
};
