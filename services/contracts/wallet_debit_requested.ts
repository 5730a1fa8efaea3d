import { z } from "zod";
import { amount, currency } from "../../lib/domain/fields.js";
import type { EventContract } from "../../lib/messaging/event.js";
import { paymentId, traceId, userId } from "./fields.js";

const schema = z.object({
  payment_id: paymentId,
  user_id: userId,
  amount,
  /** Without one it is the user's only wallet's. */
  currency: currency.optional(),
  reason: z.string().max(100).optional(),
  trace_id: traceId.optional(),
});

/** payments → wallet, metrics: take a payment's amount from its customer's wallet. */
export const walletDebitRequested: EventContract<z.output<typeof schema>> = {
  name: "wallet.debit.requested",
  version: 1,
  schema,
  key: ({ payment_id }) => payment_id,
};
