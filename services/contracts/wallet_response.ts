import { z } from "zod";
import { amount } from "../../lib/domain/fields.js";
import type { EventContract } from "../../lib/messaging/event.js";
import { paymentId, traceId, userId } from "./fields.js";

const schema = z.object({
  payment_id: paymentId,
  user_id: userId,
  status: z.enum(["APPROVED", "DECLINED"]),
  amount,
  reason: z.enum(["success", "insufficient_funds", "unknown_wallet", "cancelled"]),
  trace_id: traceId.optional(),
});

/** wallet → payments, metrics: what was decided about a debit. */
export const walletResponse: EventContract<z.output<typeof schema>> = {
  name: "wallet.response",
  version: 1,
  schema,
  key: ({ payment_id }) => payment_id,
};
