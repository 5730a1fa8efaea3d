import { z } from "zod";
import type { EventContract } from "../../lib/messaging/event.js";
import { paymentId, traceId, userId } from "./fields.js";

const schema = z.object({
  payment_id: paymentId,
  user_id: userId,
  reason: z.string().max(100).optional(),
  trace_id: traceId.optional(),
});

/** payments → wallet: give back what was taken for a payment; take nothing if nothing was. */
export const walletRefundRequested: EventContract<z.output<typeof schema>> = {
  name: "wallet.refund.requested",
  version: 1,
  schema,
  key: ({ payment_id }) => payment_id,
};
