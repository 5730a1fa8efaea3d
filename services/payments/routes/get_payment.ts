import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import type { Payment } from "../domain/payment.js";
import { PaymentsError } from "../errors.js";
import { findPayment } from "../store/payment.js";
import type { Waiting } from "../waiting.js";
import { bodyOf, paymentBody } from "./payment_body.js";

/** Below the 30 s after which proxies give up, and HTTP's own timeouts. */
const LONGEST_WAIT_S = 30;

export const getPayment = (pool: Pool, waiting: Waiting) =>
  defineRoute({
    method: "GET",
    path: "/payments/:id",
    summary: "A payment; with wait_s when it is decided, or after so many seconds",
    request: {
      params: z.object({ id: z.uuid().toLowerCase() }),
      query: z.strictObject({
        wait_s: z.coerce
          .number()
          .min(0)
          .max(LONGEST_WAIT_S)
          .default(0)
          .meta({ examples: [20] }),
      }),
    },
    answers: { 200: paymentBody },
    handle: async ({ params: { id }, query: { wait_s }, raw, ending }) => {
      const found = known(id, await findPayment(pool, id));
      if (found.state !== "PENDING" || wait_s === 0) {
        return { status: 200, body: bodyOf(found) };
      }
      const since = performance.now();
      await waiting.settled(id, wait_s * 1_000, ending);
      const waited = performance.now() - since;
      raw.waitedMs = () => waited;
      return { status: 200, body: bodyOf(known(id, await findPayment(pool, id))) };
    },
  });

/** @throws PaymentsError PAYMENT_NOT_FOUND */
export function known(id: string, payment: Payment | undefined): Payment {
  if (payment === undefined) {
    throw new PaymentsError("PAYMENT_NOT_FOUND", `there is no payment ${id}.`);
  }
  return payment;
}
