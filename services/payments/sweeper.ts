import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { withRoom } from "../../lib/broker/room.js";
import type { QueueFamily } from "../../lib/broker/topology.js";
import { derivedId, newId } from "../../lib/domain/ids.js";
import { transaction } from "../../lib/postgres/pool.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import type { Service } from "../../lib/runtime/service_process.js";
import { sweeping } from "../../lib/runtime/sweeping.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { paymentsCreated } from "../contracts/payments_created.js";
import { paymentsExpired } from "../contracts/payments_expired.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";
import { walletResponse } from "../contracts/wallet_response.js";
import { decide } from "./domain/decide.js";
import type { Awaiting, Payment } from "./domain/payment.js";
import { createdEvent, debitRequestedEvent, expiredEvent, refundRequestedEvent } from "./events.js";
import { anyOverdue, lockOverdue, type Overdue, postpone } from "./store/overdue.js";
import { applyTransitions, type Telling, type Transition } from "./store/transition.js";

const BATCH = 200;

/** What is sent again, and what answers it. */
const ASKED: Readonly<Record<Awaiting, readonly string[]>> = {
  check: [paymentsCreated.name, paymentsChecked.name],
  debit: [walletDebitRequested.name, walletResponse.name],
};

export interface SweeperOptions extends Pick<Service, "pool" | "publisher" | "outbox" | "logger">, Telling {
  /** All queues of the platform; those of the commands and of their answers are looked at. */
  readonly families: readonly QueueFamily[];
  readonly resendAfterS: number;
  readonly giveUpS: number;
}

/** Looks after payments that nobody decides: sends their command again, and gives them up in the end. */
export const paymentSweeper = (options: SweeperOptions): Part =>
  sweeping({ of: "payments", batch: BATCH, sweep: () => sweep(options) }, options.logger);

/** @returns how many payments it took in hand */
async function sweep(options: SweeperOptions): Promise<number> {
  const { pool, outbox, publisher, families, giveUpS, logger } = options;
  if (!(await anyOverdue(pool))) {
    return 0;
  }
  // Without the broker nothing is sent again, and what is over is given up all the same.
  const awaiting = await withRoom(publisher, families, ASKED);
  const { overdue, given, givenUp } = await transaction(pool, async (tx) => {
    const locked = await lockOverdue(tx, { awaiting, giveUpS, limit: BATCH });
    const over = locked.filter((payment) => payment.over);
    const events = over.flatMap(givenUpEvents);
    await applyTransitions(tx, over.map(expiry), options);
    await outbox.enter(tx, events);
    const again = locked.filter((payment) => !payment.over);
    await postpone(tx, idsOf(again), options);
    return { overdue: again, given: events, givenUp: over.length };
  });
  outbox.send(given);
  // What is not sent by a process that dies here is due again later.
  await publisher.publishAll(overdue.map(commandOf));
  const count = { sentAgain: overdue.length, givenUp };
  if (count.sentAgain + count.givenUp > 0) {
    logger.warn(count, "payments were overdue");
  }
  return count.sentAgain + count.givenUp;
}

const idsOf = (payments: readonly Payment[]) => payments.map(({ paymentId }) => paymentId);

/** A new message, so that whoever took the first is asked again; observers skip it. */
function commandOf(payment: Overdue): OutgoingMessage {
  const sending = { messageId: newId(), repeat: true };
  return payment.awaiting === "check"
    ? createdEvent(payment, sending)
    : debitRequestedEvent(payment, sending);
}

const expiredId = ({ paymentId }: Payment) => derivedId(paymentId, paymentsExpired.name);

function expiry(payment: Overdue): Transition {
  const decision = decide(payment, { kind: "expired" });
  if (decision.kind !== "move") {
    throw new Error(`a pending payment cannot be given up: ${decision.reason}`);
  }
  const step = { event: paymentsExpired.name, messageId: expiredId(payment), traceId: payment.traceId };
  return {
    ...step,
    paymentId: payment.paymentId,
    from: payment,
    amount: null,
    minorDigits: null,
    customerId: null,
    to: decision.to,
  };
}

/** It may have been debited all the same; then the money goes back. */
const givenUpEvents = (payment: Overdue): OutgoingMessage[] => [
  expiredEvent(payment, { messageId: expiredId(payment) }),
  refundRequestedEvent(
    { ...payment, reason: "timed_out" },
    { messageId: derivedId(payment.paymentId, walletRefundRequested.name) },
  ),
];
