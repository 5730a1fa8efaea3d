import { z } from "zod";
import { amount, reference } from "../../lib/domain/fields.js";
import type { EventContract } from "../../lib/messaging/event.js";
import { paymentId, traceId, userId } from "./fields.js";

const schema = z.object({
  payment_id: paymentId,
  user_id: userId,
  refund_id: reference,
  amount,
  /** Of all refunds of the payment so far. */
  refunded_total: amount,
  trace_id: traceId.optional(),
});

/** wallet → payments, metrics: money went back; it proves that there was a debit. */
export const walletRefunded: EventContract<z.output<typeof schema>> = {
  name: "wallet.refunded",
  version: 1,
  schema,
  key: ({ payment_id }) => payment_id,
};
