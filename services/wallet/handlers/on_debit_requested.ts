import type { OutgoingMessage } from "../../../lib/broker/confirms.js";
import { derivedId } from "../../../lib/domain/ids.js";
import { formatAmount, parseAmount } from "../../../lib/domain/money.js";
import { PlatformError } from "../../../lib/errors.js";
import { eventMessage, type ReceivedEvent } from "../../../lib/messaging/event.js";
import { type Forecast, wouldFail } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import {
  type IllegalTransition,
  recordIllegalTransitions,
} from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { timelineOf } from "../../../lib/postgres/timeline.js";
import { walletDebitRequested } from "../../contracts/wallet_debit_requested.js";
import { walletResponse } from "../../contracts/wallet_response.js";
import { decideDebits, type Wallet } from "../domain/debit.js";
import { refundedEvent } from "../events.js";
import { enterDecisions, findDecisions, type NewDecision, type RecordedDecision } from "../store/decision.js";
import { findLastRefunds, type LastRefund } from "../store/movement.js";
import { findOpenWalletsOf, lockFreeWalletsOf } from "../store/wallet.js";

type Asked = ReceivedEvent<ReturnType<typeof walletDebitRequested.schema.parse>>;

/**
 * Takes payments' amounts from their customers' wallets. A payment is decided once; a repeated request, also one that comes days
 * later, is answered with what was decided. Whose wallet somebody else holds has to wait, and nobody with him.
 *
 * @throws Error 40001 when another process decided about one of the payments meanwhile
 */
export async function onDebitRequested(tx: Queryable, asked: readonly Asked[]): Promise<EventOutcome[]> {
  const { wallets, held } = await lockFreeWalletsOf(tx, [...new Set(asked.map(({ body }) => body.user_id))]);
  const events = held.size === 0 ? asked : asked.filter(({ body }) => !held.has(body.user_id));
  // Under the locks, so that a decision of another process on the same wallet is seen.
  const known = await decisionsOf(tx, events.map(paymentOf));
  const { decisions, refused } = decideFresh(events, wallets, known);
  if ((await enterDecisions(tx, decisions)) < decisions.length) {
    // Where there is no wallet there was no lock. All of it is undone, since later decisions counted on these.
    throw Object.assign(new Error("a payment was decided by another process"), { code: "40001" });
  }
  await recordIllegalTransitions(
    tx,
    "wallet",
    events.flatMap((event) => illegal(event, known.get(paymentOf(event)))),
  );
  const refunds = await refundsOf(tx, events, known);
  const timeline = await timelineOf(tx);
  return asked.map((event) => {
    const paymentId = paymentOf(event);
    const decision = known.get(paymentId);
    if (held.has(event.body.user_id)) {
      return { kind: "held" };
    }
    if (decision === undefined) {
      return rejection(refused.get(paymentId));
    }
    return {
      kind: "done",
      followers: answers(event, { decision, refund: refunds.get(paymentId), timeline }),
    };
  });
}

/** The same decisions on the wallets as they stand, held or not, with nothing entered. */
export async function forecastDebits(db: Queryable, asked: readonly Asked[]): Promise<Forecast[]> {
  const wallets = await findOpenWalletsOf(db, [...new Set(asked.map(({ body }) => body.user_id))]);
  const known = await decisionsOf(db, asked.map(paymentOf));
  const { decisions, refused } = decideFresh(asked, wallets, known);
  const fresh = new Map(decisions.map((decision) => [decision.paymentId, decision]));
  return asked.map((event) => {
    const decision = known.get(paymentOf(event));
    if (decision === undefined) {
      const { code, reason } = rejection(refused.get(paymentOf(event)));
      return wouldFail(code, reason);
    }
    const [contradicts] = illegal(event, decision);
    if (contradicts !== undefined) {
      return { kind: "illegal", why: contradicts.reason };
    }
    const why = decision.outcome === "declined" ? `declined, ${decision.reason}` : decision.outcome;
    // A payment that is asked for twice is decided by the first.
    return { kind: fresh.delete(paymentOf(event)) ? "would apply" : "already applied", why };
  });
}

const paymentOf = ({ body }: Asked): string => body.payment_id;

interface Fresh {
  readonly decisions: readonly NewDecision[];
  /** Why there is no decision about a payment. */
  readonly refused: ReadonlyMap<string, Error>;
}

/** Decides about the payments that nobody has decided. @param known gets their decisions */
function decideFresh(
  events: readonly Asked[],
  wallets: readonly Wallet[],
  known: Map<string, RecordedDecision>,
): Fresh {
  const fresh = firstOfEach(events.filter((event) => !known.has(paymentOf(event))));
  const decided = decideDebits(
    fresh.map(({ body }) => ({
      paymentId: body.payment_id,
      userId: body.user_id,
      amount: body.amount,
      currency: body.currency,
    })),
    wallets,
  );
  const refused = new Map<string, Error>();
  const decisions: NewDecision[] = [];
  for (const [i, decision] of decided.entries()) {
    const event = fresh[i] as Asked;
    if (decision instanceof Error) {
      refused.set(paymentOf(event), decision);
    } else {
      decisions.push({ ...decision, messageId: event.messageId });
      known.set(paymentOf(event), { ...decision, messageId: event.messageId, refunded: 0n });
    }
  }
  return { decisions, refused };
}

async function decisionsOf(
  tx: Queryable,
  paymentIds: readonly string[],
): Promise<Map<string, RecordedDecision>> {
  const found = paymentIds.length === 0 ? [] : await findDecisions(tx, paymentIds);
  return new Map(found.map((decision) => [decision.paymentId, decision]));
}

/** A payment that is asked for twice in a batch is decided by the first. */
function firstOfEach(events: readonly Asked[]): readonly Asked[] {
  const seen = new Set<string>();
  return events.filter((event) => !seen.has(paymentOf(event)) && seen.add(paymentOf(event)));
}

/** A request that is not the one that was decided, and does not agree with it. */
function illegal(event: Asked, decision: RecordedDecision | undefined): readonly IllegalTransition[] {
  const { messageId } = event;
  if (decision === undefined || decision.messageId === messageId) {
    return [];
  }
  const reason = contradiction(event, decision);
  if (reason === undefined) {
    return [];
  }
  const { paymentId: subjectId, outcome: state } = decision;
  return [{ messageId, event: walletDebitRequested.name, subjectId, state, reason }];
}

function contradiction({ body }: Asked, decision: RecordedDecision): string | undefined {
  if (decision.outcome === "cancelled") {
    return "a debit of a payment that was given up";
  }
  if (decision.userId !== body.user_id) {
    return "another user than decided";
  }
  if (body.currency !== undefined && body.currency !== decision.currency) {
    return "another currency than decided";
  }
  if (decision.currency !== null && parseAmount(body.amount, decision.currency) !== decision.amount) {
    return "another amount than decided";
  }
  return undefined;
}

/** Of payments that are asked for once more and went back since: whoever asks may not have heard of that either. */
async function refundsOf(
  tx: Queryable,
  events: readonly Asked[],
  known: ReadonlyMap<string, RecordedDecision>,
): Promise<ReadonlyMap<string, LastRefund>> {
  const refunded = events.filter((event) => {
    const { messageId, refunded: total } = known.get(paymentOf(event)) ?? { messageId: "", refunded: 0n };
    return total > 0n && messageId !== event.messageId;
  });
  return refunded.length === 0 ? new Map() : findLastRefunds(tx, refunded.map(paymentOf));
}

/** What was decided, and where the wallet had told of it before what went back since. */
interface Answer {
  readonly decision: RecordedDecision;
  readonly refund: LastRefund | undefined;
  readonly timeline: string;
}

function answers(event: Asked, { decision, refund, timeline }: Answer): OutgoingMessage[] {
  const { messageId, traceId } = event;
  const { paymentId, outcome, reason, userId, amount, currency } = decision;
  const body = {
    payment_id: paymentId,
    user_id: userId,
    status: outcome === "approved" ? ("APPROVED" as const) : ("DECLINED" as const),
    amount: amount === null || currency === null ? event.body.amount : formatAmount(amount, currency),
    reason,
    trace_id: traceId,
  };
  const response = eventMessage(walletResponse, body, {
    messageId: derivedId(messageId, walletResponse.name),
    traceId,
    // The message that was decided is answered until that has arrived; nobody may have heard before when it comes again. What was
    // cancelled has been told as payments.expired.
    repeat: decision.messageId !== messageId,
    timeline,
  });
  if (refund === undefined || amount === null || currency === null) {
    return [response];
  }
  const told = {
    kind: "refunded",
    userId,
    amount: formatAmount(refund.amount, currency),
    refundedTotal: formatAmount(decision.refunded, currency),
    repeat: true,
    madeBy: refund.messageId,
  } as const;
  const about = { cause: messageId, traceId, timeline };
  return [response, refundedEvent({ paymentId, refundId: refund.refundId }, told, about)];
}

/**
 * An amount that is none of its currency, or a currency that is none: it never will be. Not a refusal of the wallet's, for which
 * there is a reason to give: who published it has a bug, as payments refuses such an amount itself, and the letter shows it.
 */
function rejection(error: Error | undefined): Extract<EventOutcome, { kind: "reject" }> {
  const { code, message } =
    error instanceof PlatformError ? error : { code: "INTERNAL", message: "not decided" };
  return { kind: "reject", code, reason: message };
}
