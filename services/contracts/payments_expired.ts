import { z } from "zod";
import type { EventContract } from "../../lib/messaging/event.js";
import { paymentId, traceId } from "./fields.js";

const schema = z.object({
  id: paymentId,
  reason: z.literal("timed_out"),
  trace_id: traceId.optional(),
});

/** payments → metrics: nobody decided about a payment in time, so it is given up. */
export const paymentsExpired: EventContract<z.output<typeof schema>> = {
  name: "payments.expired",
  version: 1,
  schema,
  key: ({ id }) => id,
};
