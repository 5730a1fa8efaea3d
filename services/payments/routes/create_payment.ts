import { z } from "zod";
import { amount, currency, reference } from "../../../lib/domain/fields.js";
import { newId } from "../../../lib/domain/ids.js";
import { Gatherer } from "../../../lib/gatherer.js";
import { amountOfField } from "../../../lib/http/amount_field.js";
import { type Answer, replayed, type SentAnswer } from "../../../lib/http/answer.js";
import { fingerprintOfRequest, inFlight, keepAnswer, repeated } from "../../../lib/http/idempotency.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Outbox } from "../../../lib/messaging/outbox.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { paymentMethod, userId } from "../../contracts/fields.js";
import type { Order, Payment } from "../domain/payment.js";
import { PaymentsError } from "../errors.js";
import { createdEvent } from "../events.js";
import { type Entered, type Entry, enterPayments } from "../store/new_payment.js";
import { bodyOfNew, paymentBody } from "./payment_body.js";

/** At 100,000 a minute five requests share a commit; a longer wait adds to every answer and saves less with each millisecond. */
const GROUP = { waitMs: 3, max: 200 };

const body = z.strictObject({
  amount,
  currency,
  method: paymentMethod,
  customer_id: userId,
  reference: reference.optional(),
});

export interface CreatePaymentOptions {
  readonly pool: Pool;
  readonly outbox: Outbox;
  readonly resendAfterS: number;
  /** Groups that are entered at a time. */
  readonly connections: number;
}

/** With a key or a reference a repetition is the same payment; without both each request is a new one. */
export const createPayment = ({ pool, outbox, resendAfterS, connections }: CreatePaymentOptions) => {
  const group = new Gatherer<Entry, Entered>({
    ...GROUP,
    atOnce: connections,
    work: async (entries) => {
      const entered = await enterPayments(pool, entries, resendAfterS);
      outbox.send(entries.filter((_, i) => entered[i]?.kind === "entered").map(({ event }) => event));
      return entered;
    },
  });
  return defineRoute({
    method: "POST",
    path: "/payments",
    summary: "Pay",
    request: { body },
    idempotency: "optional",
    answers: { 201: paymentBody },
    handle: async (request): Promise<Answer | SentAnswer> => {
      const order = orderOf(request.body, request.traceId);
      const answer = request.send(answerTo(order));
      const { idempotency } = request;
      const key = idempotency && { ...idempotency, fingerprint: fingerprintOfRequest(request), answer };
      const event = createdEvent(order, { messageId: newId() });
      const result = await group.add({ order, event, key });
      switch (result.kind) {
        case "entered":
          return answer;
        case "kept":
          return repeated(result.kept, key?.fingerprint as Buffer);
        case "referenced": {
          const again = request.send(answerTo(requireSame(result.payment, order), true));
          if (key !== undefined) {
            await keepAnswer(pool, "saga", { ...key, answer: again });
          }
          return again;
        }
        default:
          throw inFlight(key === undefined ? REFERENCE : undefined);
      }
    },
  });
};

const REFERENCE = { in: "body", pointer: "#/reference" } as const;

/** @throws CoreError AMOUNT_INVALID, CURRENCY_UNKNOWN */
function orderOf(asked: z.output<typeof body>, traceId: string): Order {
  return {
    paymentId: newId(),
    customerId: asked.customer_id,
    reference: asked.reference ?? null,
    amount: amountOfField(asked.amount, asked.currency, "amount"),
    currency: asked.currency,
    method: asked.method,
    traceId,
    createdAt: new Date(),
  };
}

const answerTo = (order: Order, repeat = false): Answer => ({
  status: 201,
  body: bodyOfNew(order),
  headers: { location: `/payments/${order.paymentId}`, ...replayed(repeat) },
});

/** @throws PaymentsError PAYMENT_REFERENCE_USED */
function requireSame(
  payment: Payment,
  { amount: minor, currency: code, method, reference: name }: Order,
): Payment {
  if (payment.amount !== minor || payment.currency !== code || payment.method !== method) {
    throw new PaymentsError(
      "PAYMENT_REFERENCE_USED",
      `reference ${name} is payment ${payment.paymentId}, which differs in amount, currency or method.`,
      { hint: "Use another reference for another payment.", field: REFERENCE },
    );
  }
  return payment;
}
