import type { Channel, ConsumeMessage } from "amqplib";
import { type Copy, forwardAll, REJECT_PAUSE_MS } from "../broker/carry_out.js";
import { BrokerConnection, type ConnectionTarget } from "../broker/connection.js";
import type { Outcome } from "../broker/delivery.js";
import { deliveryCountOf } from "../broker/headers.js";
import { POISON_CANDIDATE_COUNT } from "../broker/isolation.js";
import type { Link } from "../broker/link.js";
import { headersOf } from "../broker/properties.js";
import type { Publisher } from "../broker/publisher.js";
import { settlementOf } from "../broker/settlement.js";
import { Subscription } from "../broker/subscription.js";
import { declareFamily, type QueueFamily } from "../broker/topology.js";
import { messageOf } from "../errors.js";
import type { Part } from "../runtime/lifecycle.js";
import { pause } from "../timing.js";
import type { Settle, Settled } from "./handle_batch.js";
import type { RawEvent } from "./read_event.js";

/** How many events are handled at once, and how long the first of them waits for others. */
export interface BatchSize {
  readonly max: number;
  readonly waitMs: number;
}

/**
 * Longer waits add up over the stages of a saga. A batch becomes this large only where the queue is deep; there an event costs a tenth
 * less than in one of 200, and all of it, with the database's and the broker's part, takes some 50 ms.
 */
const BATCH: BatchSize = { max: 500, waitMs: 5 };

/** One at the database, and one whose followers are being confirmed. */
const BATCHES_AT_WORK = 2;

/** A batch takes milliseconds; one that takes longer goes to whoever comes next. */
const DRAIN_MS = 10_000;
/** A third of the time after which RabbitMQ takes messages back (consumer_timeout) and counts that as their fault. */
const HOLD_MS = 600_000;

/** A message whose outcome was carried out and is not `done`. */
export interface Failed {
  readonly message: RawEvent;
  readonly outcome: Outcome;
  readonly deadLettered: boolean;
}

export interface BatchConsumerOptions extends Omit<ConnectionTarget, "connectPolicy"> {
  readonly family: QueueFamily;
  readonly batch?: BatchSize;
  /** Takes retries and dead letters; stays open until the consumer has stopped. */
  readonly publisher: Publisher;
  /**
   * Settles each message once. `halt` fires when the messages are, or soon will be, somebody else's: what only waits should end then.
   * What it throws costs the link, and all that was not settled comes again.
   */
  readonly handle: (messages: readonly RawEvent[], halt: AbortSignal, settle: Settle) => Promise<void>;
  /** Told of each batch when all of it is settled, and of each message of it that failed. */
  readonly onBatch?: (batch: { readonly size: number; readonly tookMs: number }) => void;
  readonly onFailed?: (failed: Failed) => void;
  /** Shorter ones are for tests. */
  readonly holdMs?: number;
  readonly lookEveryMs?: number;
}

/**
 * Consumes a work queue in batches: the next one gathers while this one is at work, and once it is full it begins beside it.
 * Through lost connections, cancelled consumers and deleted queues. A message leaves the queue only after its outcome is safe: at
 * least once.
 */
export class BatchConsumer implements Part {
  readonly name: string;
  readonly #options: BatchConsumerOptions;
  readonly #batch: BatchSize;
  #connection: BrokerConnection<Intake> | undefined;
  readonly #stopping = new AbortController();
  #intake: Intake | undefined;

  constructor(options: BatchConsumerOptions) {
    this.#options = options;
    this.#batch = options.batch ?? BATCH;
    this.name = `consumer of ${options.family.work}`;
  }

  /** Resolves when consuming. @throws PlatformError RABBITMQ_AUTH, QUEUE_MISMATCH */
  async start(): Promise<void> {
    this.#connection = new BrokerConnection({
      ...this.#options,
      connectPolicy: "forever",
      setUp: (link) => this.#subscribe(link),
    });
    await this.#connection.up();
  }

  get isUp(): boolean {
    return this.#connection?.isUp === true;
  }

  /** Takes no more messages and lets the batch at work end; what waits goes back to its queue. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#intake?.stop(DRAIN_MS);
    await this.#connection?.close();
  }

  async #subscribe(link: Link): Promise<Intake> {
    const { family, lookEveryMs } = this.#options;
    const channel = await link.openChannel();
    await declareFamily(channel, family);
    // The next batch is here when one of these ends.
    await channel.prefetch((BATCHES_AT_WORK + 1) * this.#batch.max);
    const intake = new Intake(link, channel, this.#batch, this.#stopping.signal, (messages, before) =>
      this.#settle(link, channel, messages, before),
    );
    await intake.start(family.work, lookEveryMs);
    this.#intake = intake;
    return intake;
  }

  /**
   * From messages to their acks. Throws when the link is to be given up.
   *
   * A batch that is done as a whole is acked by its last message, which acks all before it. Of any other each part is settled as soon
   * as it is known: the search for a culprit takes a hundred transactions, and a link that ends meanwhile must not bring all of it back.
   *
   * @param before the batch that was taken before
   */
  async #settle(
    link: Link,
    channel: Channel,
    messages: readonly ConsumeMessage[],
    before: Promise<void>,
  ): Promise<void> {
    const { handle, onBatch, holdMs = HOLD_MS } = this.#options;
    const started = performance.now();
    const overdue = new AbortController();
    const clock = setTimeout(() => overdue.abort(), holdMs).unref();
    const halt = AbortSignal.any([this.#stopping.signal, link.over, overdue.signal]);
    try {
      let isWhole = false;
      const parts: Promise<void>[] = [];
      await handle(messages.map(rawOf), halt, (part) => {
        isWhole = part.length === messages.length && part.every(({ outcome }) => outcome.kind === "done");
        if (!isWhole && !link.over.aborted) {
          const settled = this.#settlePart(channel, messages, part, halt);
          settled.catch(() => undefined); // Met below.
          parts.push(settled);
        }
      });
      await Promise.all(parts);
      await before;
      const last = messages.at(-1);
      if (link.over.aborted || last === undefined) {
        return;
      }
      if (isWhole) {
        channel.ack(last, true);
      }
      onBatch?.({ size: messages.length, tookMs: performance.now() - started });
    } finally {
      clearTimeout(clock);
    }
  }

  /** Each original is acked once its copy is safe; one that cannot be copied keeps no other waiting for its ack. */
  async #settlePart(
    channel: Channel,
    messages: readonly ConsumeMessage[],
    part: readonly Settled[],
    halt: AbortSignal,
  ): Promise<void> {
    const { family, name, publisher, logger, onFailed } = this.#options;
    const circumstances = { family, now: new Date(), worker: name };
    const failed: (Copy & { readonly outcome: Outcome })[] = [];
    for (const { place, outcome } of part) {
      const message = messages[place] as ConsumeMessage;
      const settlement = settlementOf(outcome, headersOf(message.properties), circumstances);
      if (settlement.kind === "ack") {
        channel.ack(message);
      } else {
        failed.push({ message, settlement, outcome });
      }
    }
    const stuck: ConsumeMessage[] = [];
    await forwardAll(failed, { publisher, logger }, halt, (place, forwarded) => {
      const { message, settlement, outcome } = failed[place] as (typeof failed)[number];
      if (forwarded === "forwarded") {
        channel.ack(message);
        const deadLettered = settlement.to === family.deadLetter;
        onFailed?.({ message: rawOf(message), outcome, deadLettered });
      } else {
        stuck.push(message);
      }
    });
    if (stuck.length > 0) {
      // RabbitMQ 4.3 counts no nack: what cannot be copied has to come to its delivery limit, and not in a hot loop.
      await pause(REJECT_PAUSE_MS, this.#stopping.signal);
      for (const message of stuck) {
        channel.reject(message, true);
      }
    }
  }
}

/** @param before settles when the batch before has been, rejects when it could not be. */
type SettleBatch = (messages: readonly ConsumeMessage[], before: Promise<void>) => Promise<void>;

/** What one link brings: gathers messages into batches and has them settled in turn. */
class Intake {
  readonly #link: Link;
  readonly #channel: Channel;
  readonly #batch: BatchSize;
  readonly #stopping: AbortSignal;
  readonly #settle: SettleBatch;
  readonly #waiting: ConsumeMessage[] = [];
  readonly #work = new Set<Promise<void>>();
  #atWork = 0;
  /** The newest batch. */
  #last: Promise<void> = Promise.resolve();
  #subscription: Subscription | undefined;
  #clock: NodeJS.Timeout | undefined;

  constructor(link: Link, channel: Channel, batch: BatchSize, stopping: AbortSignal, settle: SettleBatch) {
    this.#link = link;
    this.#channel = channel;
    this.#batch = batch;
    this.#stopping = stopping;
    this.#settle = settle;
  }

  async start(queue: string, lookEveryMs: number | undefined): Promise<void> {
    this.#subscription = new Subscription(this.#link, this.#channel, {
      queue,
      onMessage: (message) => this.#take(message),
      isIdle: () => this.#waiting.length === 0 && this.#work.size === 0,
      lookEveryMs,
    });
    await this.#subscription.start();
  }

  async stop(drainMs: number): Promise<void> {
    await this.#subscription?.cancel().catch(() => undefined); // On a lost link there is nothing to cancel.
    clearTimeout(this.#clock);
    const waited = new AbortController();
    const drained = Promise.all(this.#work).then(() => waited.abort());
    await Promise.race([drained, pause(drainMs, waited.signal)]);
  }

  #take(message: ConsumeMessage): void {
    this.#waiting.push(message);
    if (this.#mayBegin) {
      this.#begin();
    } else if (this.#atWork === 0) {
      this.#clock ??= setTimeout(() => this.#begin(), this.#batch.waitMs);
    }
  }

  /** Beside another batch only a full one, or batches would be small and cost more when there is most to do. */
  get #mayBegin(): boolean {
    return this.#atWork < BATCHES_AT_WORK && this.#waiting.length >= this.#batch.max;
  }

  #begin(): void {
    clearTimeout(this.#clock);
    this.#clock = undefined;
    const work = this.#workOff()
      .catch((error: unknown) => this.#link.drop(new Error(`could not settle a batch: ${messageOf(error)}`)))
      .finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  async #workOff(): Promise<void> {
    this.#atWork += 1;
    try {
      while (this.#waiting.length > 0 && !this.#stopping.aborted && !this.#link.over.aborted) {
        const settled = this.#settle(this.#next(), this.#last);
        settled.catch(() => undefined); // Met below, and by the next batch if there is one.
        this.#last = settled;
        await settled;
        if (this.#atWork > 1 && this.#waiting.length < this.#batch.max) {
          return; // The other one goes on with what comes.
        }
      }
    } finally {
      this.#atWork -= 1;
    }
  }

  /**
   * A message that may have killed its worker goes with half as many each time it comes again, and in the end alone: long before its
   * delivery limit. Not alone at once, for a link that is lost again and again brings thousands of innocent ones back, and alone they
   * are handled at 200 a second.
   */
  #next(): ConsumeMessage[] {
    const { max } = this.#batch;
    let size = 0;
    for (let company = max; size < company && size < this.#waiting.length; ) {
      company = Math.min(company, companyOf(this.#waiting[size] as ConsumeMessage, max));
      if (size < company) {
        size += 1;
      }
    }
    return this.#waiting.splice(0, size);
  }
}

/** How many messages a batch may have that this one is in. */
function companyOf({ fields, properties }: ConsumeMessage, max: number): number {
  // Looked at by every message, so the cheap question comes first.
  const deliveries = fields.redelivered ? deliveryCountOf(headersOf(properties)) : 0;
  const halvings = Math.max(0, deliveries - POISON_CANDIDATE_COUNT + 1);
  return Math.max(1, max >> halvings);
}

function rawOf({ content, properties }: ConsumeMessage): RawEvent {
  return {
    body: content,
    type: properties.type,
    messageId: properties.messageId,
    headers: properties.headers ?? {},
  };
}
