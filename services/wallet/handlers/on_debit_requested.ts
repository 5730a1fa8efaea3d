import { derivedId } from "../../../lib/domain/ids.js";
import { formatAmount, parseAmount } from "../../../lib/domain/money.js";
import { PlatformError } from "../../../lib/errors.js";
import { eventMessage, type ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import {
  type IllegalTransition,
  recordIllegalTransitions,
} from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { walletDebitRequested } from "../../contracts/wallet_debit_requested.js";
import { walletResponse } from "../../contracts/wallet_response.js";
import { decideDebits } from "../domain/debit.js";
import { enterDecisions, findDecisions, type NewDecision, type RecordedDecision } from "../store/decision.js";
import { lockWalletsOf } from "../store/wallet.js";

type Asked = ReceivedEvent<ReturnType<typeof walletDebitRequested.schema.parse>>;

/**
 * Takes payments' amounts from their customers' wallets. A payment is decided once; a repeated request, also one that comes days
 * later, is answered with what was decided.
 */
export async function onDebitRequested(tx: Queryable, events: readonly Asked[]): Promise<EventOutcome[]> {
  const wallets = await lockWalletsOf(tx, [...new Set(events.map(({ body }) => body.user_id))]);
  // Under the locks, so that a decision of another process on the same wallet is seen.
  const known = await decisionsOf(tx, events.map(paymentOf));
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
    }
  }
  const entered = await enterDecisions(tx, decisions);
  // Decided by another process meanwhile: without a wallet there was no lock.
  const overtaken = decisions.filter(({ paymentId }) => !entered.has(paymentId));
  for (const [id, decision] of await decisionsOf(
    tx,
    overtaken.map(({ paymentId }) => paymentId),
  )) {
    known.set(id, decision);
  }
  for (const decision of decisions.filter(({ paymentId }) => entered.has(paymentId))) {
    known.set(decision.paymentId, { ...decision, refunded: 0n });
  }
  await recordIllegalTransitions(
    tx,
    "wallet",
    events.flatMap((event) => illegal(event, known.get(paymentOf(event)))),
  );
  return events.map((event) => {
    const decision = known.get(paymentOf(event));
    return decision === undefined ? rejection(refused.get(paymentOf(event))) : answer(event, decision);
  });
}

const paymentOf = ({ body }: Asked): string => body.payment_id;

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

function answer(event: Asked, decision: RecordedDecision): EventOutcome {
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
  const follower = eventMessage(walletResponse, body, {
    messageId: derivedId(messageId, walletResponse.name),
    traceId,
    repeat: decision.messageId !== messageId,
  });
  return { kind: "done", followers: [follower] };
}

/** An amount that is none of its currency: it never will be. */
function rejection(error: Error | undefined): EventOutcome {
  const { code, message } =
    error instanceof PlatformError ? error : { code: "INTERNAL", message: "not decided" };
  return { kind: "reject", code, reason: message };
}
