import { z } from "zod";
import type { OutgoingMessage } from "../../../lib/broker/confirms.js";
import { amount, reference } from "../../../lib/domain/fields.js";
import { derivedId, newId } from "../../../lib/domain/ids.js";
import { replayed } from "../../../lib/http/answer.js";
import { withIdempotency } from "../../../lib/http/idempotency.js";
import type { IdempotencyKey } from "../../../lib/http/idempotency_key.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Outbox } from "../../../lib/messaging/outbox.js";
import { type Pool, transaction } from "../../../lib/postgres/pool.js";
import { timelineOf } from "../../../lib/postgres/timeline.js";
import { paymentId } from "../../contracts/fields.js";
import { REST } from "../domain/refund.js";
import { WalletError } from "../errors.js";
import { refundedEvent } from "../events.js";
import { type RefundOutcome, refundPayments } from "../refunds.js";

const body = z.strictObject({
  payment_id: paymentId,
  amount: amount.optional(),
  refund_id: reference.refine((id) => id !== REST, "is the name of a whole refund").optional(),
});

const refunded = z.object({
  payment_id: z.uuid(),
  refund_id: z.string(),
  amount: z.string(),
  refunded_total: z.string(),
});

/**
 * The whole rest of a payment goes back once, however often it is asked for. A part is told from its repetition by its refund_id
 * or an Idempotency-Key.
 */
export const refundPayment = (pool: Pool, outbox: Outbox) =>
  defineRoute({
    method: "POST",
    path: "/wallets/refund",
    summary: "Give back what was taken for a payment, or a part of it",
    request: { body },
    idempotency: "optional",
    answers: { 200: refunded },
    handle: async (request) => {
      const { body: asked, idempotency, traceId } = request;
      const refund = {
        paymentId: asked.payment_id,
        refundId: refundIdOf(asked, idempotency),
        amount: asked.amount,
      };
      const events: OutgoingMessage[] = [];
      const answer = await transaction(pool, (tx) =>
        withIdempotency(tx, { schema: "wallet", request }, async () => {
          const [first] = await refundPayments(tx, [refund]);
          const outcome = requireRefunded(refund.paymentId, first);
          if (!outcome.repeat) {
            const timeline = await timelineOf(tx);
            events.push(refundedEvent(refund, outcome, { cause: newId(), traceId, timeline }));
          }
          await outbox.enter(tx, events);
          return { status: 200, body: bodyOf(refund, outcome), headers: replayed(outcome.repeat) };
        }),
      );
      outbox.send(events);
      return answer;
    },
  });

/** @throws WalletError REFUND_ID_MISSING */
function refundIdOf(
  { amount: part, refund_id }: z.output<typeof body>,
  idempotency: IdempotencyKey | undefined,
): string {
  if (refund_id !== undefined) {
    return refund_id;
  }
  if (part === undefined) {
    return REST;
  }
  if (idempotency === undefined) {
    throw new WalletError(
      "REFUND_ID_MISSING",
      "a part of a payment needs a refund_id or an Idempotency-Key.",
      {
        field: { in: "body", pointer: "#/refund_id" },
      },
    );
  }
  // Of the key, which may be purged before the last repetition comes.
  return derivedId(`${idempotency.scope} ${idempotency.key}`, "wallet.refund_id");
}

const bodyOf = (
  { paymentId: payment_id, refundId: refund_id }: { readonly paymentId: string; readonly refundId: string },
  { amount: back, refundedTotal }: Extract<RefundOutcome, { kind: "refunded" }>,
): z.output<typeof refunded> => ({ payment_id, refund_id, amount: back, refunded_total: refundedTotal });

/** @throws WalletError PAYMENT_UNKNOWN, REFUND_REFUSED, REFERENCE_USED, BALANCE_TOO_LARGE */
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
    case "no room":
      throw new WalletError("BALANCE_TOO_LARGE", `wallet ${outcome.walletId} cannot hold that much.`);
    default:
      throw new WalletError("PAYMENT_UNKNOWN", `no debit of payment ${paymentId} was decided here.`);
  }
}
