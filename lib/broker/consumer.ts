import { messageOf } from "../errors.js";
import { pause, within } from "../timing.js";
import { carryOut, type Means } from "./carry_out.js";
import { BrokerConnection, type ConnectionTarget } from "./connection.js";
import type { Delivery, Handler, Outcome, Settled } from "./delivery.js";
import { handedBackHeaders } from "./headers.js";
import { InFlight, type Receipt } from "./in_flight.js";
import { Isolation, POISON_CANDIDATE_COUNT } from "./isolation.js";
import type { Link } from "./link.js";
import type { Publisher } from "./publisher.js";
import { handBackTo, settlementOf } from "./settlement.js";
import { Slots } from "./slots.js";
import { Subscription } from "./subscription.js";
import { declareFamily, type QueueFamily } from "./topology.js";

/** Steps take seconds. Below the 30 s that Kubernetes waits before it kills; Docker's 10 s want a `stop_grace_period`. */
export const DRAIN_MS = 25_000;
/** For handing back what is left then. */
const LAST_MS = 2_000;
/** A third of the time after which RabbitMQ takes a message back (consumer_timeout), so that there is time to try again. */
const HOLD_MS = 600_000;
/** For a handler that waits to notice that its message is overdue: it may be trying once more to connect and to publish. */
const NOTICE_MS = 30_000;

/** Its name is written into dead letters, too. */
export interface ConsumerOptions extends ConnectionTarget {
  readonly family: QueueFamily;
  /** Messages handled at a time, and held: a crash costs each held one a delivery. */
  readonly concurrency: number;
  /** Takes retries and dead letters; stays open until the consumer has stopped. */
  readonly publisher: Publisher;
  readonly handler: Handler;
  /** Told of each delivery what became of it. The broker has it by then: what goes wrong here is logged. */
  readonly onSettled?: (settlement: Settled) => Promise<void>;
  /** Told of each delivery as it comes, before it waits for its turn. */
  readonly onTaken?: (delivery: Delivery) => void;
  /** Told when a link is lost: what the broker had sent on it, and nobody has read, is the queue's again. */
  readonly onLinkLost?: () => void;
  /** Whether a message that was delivered often is handled alone. Not where handlers wait for long: they would wait for each other. */
  readonly isolates?: boolean;
  /** Told when a delivery is in our hands no more, whatever became of it. */
  readonly onOver?: (delivery: Delivery) => void;
  /** How long a message is held before it is handed back, or a copy stands for it. A shorter one is for tests. */
  readonly holdMs?: number | undefined;
  /** How often it looks whether the broker keeps messages back. A shorter one is for tests. */
  readonly lookEveryMs?: number | undefined;
}

/**
 * Consumes a family's work queue for as long as it lives, through lost connections, cancelled consumers and deleted queues.
 * A message leaves the queue only after its outcome is safe: at least once, so handlers must bear a repetition.
 */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #connection: BrokerConnection<Subscription>;
  readonly #inFlight = new Map<InFlight, Promise<void>>();
  readonly #isolation = new Isolation();
  readonly #slots: Slots;
  readonly #stopping = new AbortController();
  readonly #means: Means;
  #subscription: Subscription | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#means = { ...options, stopping: this.#stopping.signal, rest: () => this.#rest() };
    this.#slots = new Slots(options.concurrency);
    this.#connection = new BrokerConnection({ ...options, setUp: (link) => this.#subscribe(link) });
  }

  /** Resolves when consuming. @throws PlatformError RABBITMQ_UNREACHABLE (connectPolicy `once`), RABBITMQ_AUTH */
  async up(): Promise<void> {
    await this.#connection.up();
  }

  get isUp(): boolean {
    return this.#connection.isUp;
  }

  /** Resolves when all that the broker had sent us by now is in our hands. @throws when there is no link, or it is lost meanwhile. */
  async caughtUp(): Promise<void> {
    await (await this.#connection.up()).roundTrip(this.#options.family.work);
  }

  /** Takes no more messages, waits for the handlers at work and their acks, hands back what is left, then closes. */
  async stop(drainMs: number = DRAIN_MS): Promise<void> {
    this.#stopping.abort();
    await this.#subscription?.cancel().catch(() => undefined); // On a lost link there is nothing to cancel.
    const drained = new AbortController();
    const drain = Promise.all(this.#inFlight.values()).then(() => drained.abort());
    await Promise.race([drain, pause(drainMs, drained.signal)]);
    if (this.#inFlight.size > 0) {
      this.#options.logger.warn(
        { messages: this.#inFlight.size },
        "stopped before all was done; it will come again",
      );
      const left = [...this.#inFlight.keys()].map((job) => this.#settle(job, { kind: "release" }));
      await within(LAST_MS, Promise.all(left), () => new Error("no answer")).catch(() => undefined);
    }
    await this.#connection.close();
  }

  async #subscribe(link: Link): Promise<Subscription> {
    const { family, concurrency, lookEveryMs, onLinkLost } = this.#options;
    if (onLinkLost !== undefined) {
      link.over.addEventListener("abort", onLinkLost, { once: true });
    }
    const channel = await link.openChannel();
    await declareFamily(channel, family);
    await channel.prefetch(concurrency);
    const subscription = new Subscription(link, channel, {
      queue: family.work,
      onMessage: (message) => this.#take({ link, channel, message }),
      isIdle: () => this.#inFlight.size === 0,
      lookEveryMs,
    });
    await subscription.start();
    this.#subscription = subscription;
    return subscription;
  }

  /** Never throws: amqplib would close the channel. */
  #take(receipt: Receipt): void {
    // Came between stop and its confirmation: goes back with the channel, for it might come at once and again and again.
    if (this.#stopping.signal.aborted) {
      return;
    }
    const twin = [...this.#inFlight.keys()].find((job) => job.isFor(receipt.message));
    if (twin) {
      twin.attach(receipt);
      return;
    }
    const job = new InFlight(receipt);
    this.#options.onTaken?.(job.delivery);
    const drop = (error: unknown) =>
      receipt.link.drop(new Error(`could not settle a message: ${messageOf(error)}`));
    const clock = setInterval(
      () => void this.#onOverdue(job).catch(drop),
      this.#options.holdMs ?? HOLD_MS,
    ).unref();
    const work = this.#work(job)
      .catch(drop)
      .finally(() => {
        clearInterval(clock);
        this.#inFlight.delete(job);
        this.#options.onOver?.(job.delivery);
      });
    this.#inFlight.set(job, work);
  }

  async #work(job: InFlight): Promise<void> {
    const task = async () => {
      // The turn may have come late.
      if (job.state === "over" || job.receipts.length === 0) {
        return;
      }
      if (this.#stopping.signal.aborted) {
        await this.#settle(job, { kind: "release" });
        return;
      }
      job.state = "at work";
      const outcome = await this.#handle(job);
      await this.#settle(job, outcome);
    };
    // Prefetch bounds what one link brings; handlers of a lost link may still be running beside those of the next.
    const turn = () => this.#slots.run(task);
    const { isolates = true } = this.#options;
    const isPoisonCandidate = job.delivery.deliveryCount >= POISON_CANDIDATE_COUNT;
    await (isolates && isPoisonCandidate ? this.#isolation.run(turn) : turn());
  }

  async #handle({ delivery }: InFlight): Promise<Outcome> {
    try {
      return await this.#options.handler(delivery);
    } catch (error) {
      this.#options.logger.error({ err: error, messageId: delivery.messageId }, "a handler threw");
      return { kind: "retry", code: "INTERNAL", reason: messageOf(error) };
    }
  }

  /** Held for so long that the broker may soon take it back, and count that as the message's fault. */
  async #onOverdue(job: InFlight): Promise<void> {
    job.overdue.abort();
    if (job.state === "waiting") {
      await this.#settle(job, { kind: "release" });
      return;
    }
    await pause(Math.min(NOTICE_MS, this.#options.holdMs ?? HOLD_MS), this.#stopping.signal);
    await job.fate.run(async () => {
      if (job.state === "over" || this.#stopping.signal.aborted) {
        return;
      }
      const to = handBackTo(this.#options.family);
      const headers = handedBackHeaders(job.delivery.headers, job.holder);
      await carryOut(job, { kind: "forward", to, headers }, "keep", this.#means);
    });
  }

  async #settle(job: InFlight, outcome: Outcome): Promise<void> {
    const { delivery } = job;
    const { family, name, onSettled, logger } = this.#options;
    const settlement = settlementOf(outcome, delivery.headers, { family, now: new Date(), worker: name });
    const settled = await job.fate.run(async () => {
      job.state = "over";
      return carryOut(job, settlement, "give back", this.#means);
    });
    if (!settled) {
      return;
    }
    const deadLettered = settlement.kind === "forward" && settlement.to === family.deadLetter;
    await onSettled?.({ delivery, outcome, deadLettered }).catch((error: unknown) => {
      logger.warn({ err: error, messageId: delivery.messageId }, "a settled message was not recorded");
    });
  }

  /** The broker takes no copies, so what is held goes back the way that counts: once, if nothing is taken until it does. */
  async #rest(): Promise<void> {
    const { logger, publisher } = this.#options;
    logger.warn("RabbitMQ takes no messages; none of its are taken until it does");
    await this.#subscription?.rest(() => publisher.isWritable, this.#stopping.signal).catch(() => undefined);
  }
}
