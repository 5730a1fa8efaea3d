import { z } from "zod";
import { amount, reference } from "../../../lib/domain/fields.js";
import { newId } from "../../../lib/domain/ids.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Outbox } from "../../../lib/messaging/outbox.js";
import { type Pool, transaction } from "../../../lib/postgres/pool.js";
import { paymentId } from "../../contracts/fields.js";
import { REST } from "../domain/refund.js";
import { WalletError } from "../errors.js";
import { refundedEvent } from "../events.js";
import { type RefundOutcome, refundPayments } from "../refunds.js";

const body = z
  .strictObject({
    payment_id: paymentId,
    amount: amount.optional(),
    refund_id: reference.optional(),
  })
  .refine(({ amount, refund_id }) => amount === undefined || refund_id !== undefined, {
    path: ["refund_id"],
    message: "is needed with an amount, so that a repetition does not refund twice",
  });

/** The whole rest of a payment goes back once, however often it is asked for; a part under a refund_id. */
export const refundPayment = (pool: Pool, outbox: Outbox) =>
  defineRoute({
    method: "POST",
    path: "/wallets/refund",
    summary: "Give back what was taken for a payment, or a part of it",
    request: { body },
    answers: {
      200: z.object({
        payment_id: z.uuid(),
        refund_id: z.string(),
        amount: z.string(),
        refunded_total: z.string(),
      }),
    },
    handle: async ({ body: { payment_id, amount, refund_id = REST }, raw }) => {
      const refund = { paymentId: payment_id, refundId: refund_id, amount };
      const { outcome, events } = await transaction(pool, async (tx) => {
        const [first] = await refundPayments(tx, [refund]);
        const made = requireRefunded(payment_id, first);
        const announced = made.repeat
          ? []
          : [refundedEvent(refund, made, { cause: newId(), traceId: raw.id })];
        await outbox.enter(tx, announced);
        return { outcome: made, events: announced };
      });
      outbox.send(events);
      return {
        status: 200,
        body: {
          payment_id,
          refund_id,
          amount: outcome.amount,
          refunded_total: outcome.refundedTotal,
        },
        ...(outcome.repeat ? { headers: { "idempotent-replayed": "true" } } : {}),
      };
    },
  });

/** @throws WalletError PAYMENT_UNKNOWN, REFUND_REFUSED, REFERENCE_USED */
function requireRefunded(
  paymentId: string,
  outcome: RefundOutcome | undefined,
): Extract<RefundOutcome, { kind: "refunded" }> {
  switch (outcome?.kind) {
    case "refunded":
      return outcome;
    case "nothing taken":
      throw new WalletError(
        "REFUND_REFUSED",
        `payment ${paymentId} was ${outcome.outcome}: nothing was taken.`,
      );
    case "too much":
      throw new WalletError("REFUND_REFUSED", `of payment ${paymentId} ${outcome.left} is left to refund.`);
    case "contradiction":
      throw new WalletError(
        "REFERENCE_USED",
        `this refund of payment ${paymentId} was made with ${outcome.amount}.`,
      );
    default:
      throw new WalletError("PAYMENT_UNKNOWN", `no debit of payment ${paymentId} was decided here.`);
  }
}
