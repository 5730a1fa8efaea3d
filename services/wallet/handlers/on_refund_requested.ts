import type { z } from "zod";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import { type Forecast, wouldFail } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import {
  type IllegalTransition,
  recordIllegalTransitions,
} from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { timelineOf } from "../../../lib/postgres/timeline.js";
import { walletRefundRequested } from "../../contracts/wallet_refund_requested.js";
import { REST } from "../domain/refund.js";
import { refundedEvent } from "../events.js";
import { foreseeRefunds, type Refund, type RefundOutcome, refundPayments } from "../refunds.js";
import { enterDecisions, type NewDecision } from "../store/decision.js";
import { lockFreeWalletsOf } from "../store/wallet.js";

type Asked = ReceivedEvent<z.output<typeof walletRefundRequested.schema>>;

/**
 * Gives back what is left of payments that were given up. Where nothing has been decided yet the payment is recorded as
 * cancelled, so that a debit that comes later takes nothing.
 */
export async function onRefundRequested(tx: Queryable, asked: readonly Asked[]): Promise<EventOutcome[]> {
  // A debit that is being decided has these locks.
  const { held } = await lockFreeWalletsOf(tx, [...new Set(asked.map(({ body }) => body.user_id))]);
  const events = held.size === 0 ? asked : asked.filter(({ body }) => !held.has(body.user_id));
  const byPayment = new Map(events.map((event) => [event.body.payment_id, event]));
  await enterDecisions(tx, [...byPayment.values()].map(cancellation));
  const refunds = events.map(refundOf);
  const outcomes = await refundPayments(tx, refunds);
  const timeline = await timelineOf(tx);
  const done = new Map<Asked, EventOutcome>();
  const illegal: IllegalTransition[] = [];
  for (const [i, event] of events.entries()) {
    const outcome = outcomes[i] as RefundOutcome;
    done.set(event, outcomeOf(event, refunds[i] as Refund, { outcome, timeline }));
    if (outcome.kind === "another user") {
      const { messageId, body } = event;
      const { outcome: state } = outcome;
      const reason = contradictionOf(outcome);
      illegal.push({
        messageId,
        event: walletRefundRequested.name,
        subjectId: body.payment_id,
        state,
        reason,
      });
    }
  }
  await recordIllegalTransitions(tx, "wallet", illegal);
  return asked.map((event) => done.get(event) ?? { kind: "held" });
}

/** The same on what is recorded, nothing entered. A payment without a decision is cancelled by the first that asks. */
export async function forecastRefunds(db: Queryable, asked: readonly Asked[]): Promise<Forecast[]> {
  const outcomes = await foreseeRefunds(db, asked.map(refundOf));
  const cancelled = new Set<string>();
  return outcomes.map((outcome, i) => {
    if (outcome.kind !== "unknown payment") {
      return forecastOf(outcome);
    }
    const { payment_id: paymentId } = (asked[i] as Asked).body;
    const before = cancelled.has(paymentId);
    cancelled.add(paymentId);
    return { kind: before ? "already applied" : "would apply", why: "cancelled before any debit" };
  });
}

function forecastOf(outcome: Exclude<RefundOutcome, { kind: "unknown payment" }>): Forecast {
  switch (outcome.kind) {
    case "refunded":
      return {
        kind: outcome.repeat ? "already applied" : "would apply",
        why: `${outcome.amount} given back`,
      };
    case "another user":
      return { kind: "illegal", why: contradictionOf(outcome) };
    case "no room": {
      const { code, reason } = noRoom(outcome);
      return wouldFail(code, reason);
    }
    default:
      return { kind: "already applied", why: "nothing is left to give back" };
  }
}

/** What is left of the payment. */
const refundOf = ({ body, messageId }: Asked) => ({
  paymentId: body.payment_id,
  refundId: REST,
  amount: undefined,
  asked: { messageId, userId: body.user_id },
});

function outcomeOf(
  { messageId: cause, traceId }: Asked,
  refund: Refund,
  { outcome, timeline }: { readonly outcome: RefundOutcome; readonly timeline: string },
): EventOutcome {
  switch (outcome.kind) {
    case "refunded":
      return { kind: "done", followers: [refundedEvent(refund, outcome, { cause, traceId, timeline })] };
    case "no room":
      return noRoom(outcome);
    default:
      // There was nothing to give back, or partial refunds gave all of it, each with an event of its own.
      return { kind: "done" };
  }
}

/** Somebody has to make room, then the letter is replayed. */
const noRoom = ({ walletId }: Extract<RefundOutcome, { kind: "no room" }>) =>
  ({
    kind: "reject",
    code: "BALANCE_TOO_LARGE",
    reason: `wallet ${walletId} cannot hold that much.`,
  }) as const;

const contradictionOf = ({ kind }: Extract<RefundOutcome, { kind: "another user" }>) =>
  `${kind} than decided`;

const cancellation = ({ body, messageId }: Asked): NewDecision => ({
  paymentId: body.payment_id,
  outcome: "cancelled",
  reason: "cancelled",
  userId: body.user_id,
  walletId: null,
  amount: null,
  currency: null,
  messageId,
});
