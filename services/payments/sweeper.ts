import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import type { QueueFamily } from "../../lib/broker/topology.js";
import { derivedId, newId } from "../../lib/domain/ids.js";
import { codeOf } from "../../lib/errors.js";
import { transaction } from "../../lib/postgres/pool.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import type { Service } from "../../lib/runtime/service_process.js";
import { pause } from "../../lib/timing.js";
import { paymentsCreated } from "../contracts/payments_created.js";
import { paymentsExpired } from "../contracts/payments_expired.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";
import { decide } from "./domain/decide.js";
import type { Awaiting, Payment } from "./domain/payment.js";
import { createdEvent, debitRequestedEvent, expiredEvent, refundRequestedEvent } from "./events.js";
import { anyOverdue, lockOverdue, type Overdue, postpone } from "./store/overdue.js";
import { applyTransitions, type Telling, type Transition } from "./store/transition.js";

const SWEEP_EVERY_MS = 1_000;
const BATCH = 200;
/** Where so many commands wait already one more only makes it worse. */
const FULL = 1_000;

const COMMANDS: Readonly<Record<Awaiting, string>> = {
  check: paymentsCreated.name,
  debit: walletDebitRequested.name,
};

export interface SweeperOptions extends Pick<Service, "pool" | "publisher" | "outbox" | "logger">, Telling {
  /** All queues of the platform; those of the commands are looked at. */
  readonly families: readonly QueueFamily[];
  readonly resendAfterS: number;
  readonly giveUpS: number;
}

/**
 * Looks after payments that nobody decides: sends their command again, and gives them up in the end. Any number of processes may
 * sweep at once.
 */
export class Sweeper implements Part {
  readonly name = "sweeper of payments";
  readonly #options: SweeperOptions;
  readonly #stopping = new AbortController();
  #sweeping: Promise<void> | undefined;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#sweeping ??= this.#sweepOn();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#sweeping;
  }

  /** @returns how many payments it took in hand. */
  async sweep(): Promise<number> {
    const { pool, outbox, publisher, giveUpS, logger } = this.#options;
    if (!(await anyOverdue(pool))) {
      return 0;
    }
    // Without the broker nothing is sent again, and what is over is given up all the same.
    const awaiting = publisher.isUp ? await this.#withRoom() : [];
    const { overdue, given, givenUp } = await transaction(pool, async (tx) => {
      const locked = await lockOverdue(tx, { awaiting, giveUpS, limit: BATCH });
      const over = locked.filter((payment) => payment.over);
      const events = over.flatMap(givenUpEvents);
      await applyTransitions(tx, over.map(expiry), this.#options);
      await outbox.enter(tx, events);
      const again = locked.filter((payment) => !payment.over);
      await postpone(tx, idsOf(again), this.#options);
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

  /** For what a command may be sent: its queues are not full. */
  async #withRoom(): Promise<readonly Awaiting[]> {
    const { families, publisher } = this.#options;
    const room: Awaiting[] = [];
    for (const awaiting of ["check", "debit"] as const) {
      const queues = families.filter(({ event }) => event === COMMANDS[awaiting]);
      const waiting = await Promise.all(queues.map(({ work }) => publisher.messagesIn(work)));
      if (waiting.every((messages) => messages <= FULL)) {
        room.push(awaiting);
      }
    }
    return room;
  }

  async #sweepOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const taken = await this.sweep().catch((error: unknown) => {
        this.#options.logger.debug({ code: codeOf(error) }, "overdue payments were not looked after");
        return 0;
      });
      if (taken < BATCH) {
        await pause(SWEEP_EVERY_MS, signal);
      }
    }
  }
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
