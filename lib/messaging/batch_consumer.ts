import type { Channel, ConsumeMessage } from "amqplib";
import { forwardAll, REJECT_PAUSE_MS } from "../broker/carry_out.js";
import { BrokerConnection, type ConnectionTarget } from "../broker/connection.js";
import type { Outcome } from "../broker/delivery.js";
import type { Link } from "../broker/link.js";
import { headersOf } from "../broker/properties.js";
import type { Publisher } from "../broker/publisher.js";
import { settlementOf } from "../broker/settlement.js";
import { declareFamily, type QueueFamily } from "../broker/topology.js";
import type { Part } from "../runtime/lifecycle.js";
import { pause } from "../timing.js";
import { BATCHES_AT_WORK, type Batch, BatchIntake, type BatchSize } from "./batch_intake.js";
import { BatchSettlement, type Failure } from "./batch_settlement.js";
import type { SettlePart } from "./handle_batch.js";
import type { RawEvent } from "./read_event.js";

/**
 * Longer waits add up over the stages of a saga. A batch becomes this large only where the queue is deep; there an event costs a tenth
 * less than in one of 200, and all of it, with the database's and the broker's part, takes some 50 ms.
 */
const BATCH: BatchSize = { max: 500, waitMs: 5 };

/** A batch takes milliseconds; one that takes longer goes to whoever comes next. */
export const DRAIN_MS = 10_000;
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
  readonly handle: (messages: readonly RawEvent[], halt: AbortSignal, settle: SettlePart) => Promise<void>;
  /** Told of each batch when all of it is settled, and of each message of it that failed. */
  readonly onBatch?: (batch: { readonly size: number; readonly tookMs: number }) => void;
  readonly onFailed?: (failed: Failed) => void;
  /** Shorter ones are for tests. */
  readonly holdMs?: number;
  readonly lookEveryMs?: number;
}

/**
 * Consumes a work queue in batches, through lost connections, cancelled consumers and deleted queues. A message leaves the queue only
 * after its outcome is safe: at least once.
 */
export class BatchConsumer implements Part {
  readonly name: string;
  readonly #options: BatchConsumerOptions;
  readonly #batch: BatchSize;
  #connection: BrokerConnection<BatchIntake> | undefined;
  readonly #stopping = new AbortController();
  #intake: BatchIntake | undefined;

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

  async #subscribe(link: Link): Promise<BatchIntake> {
    const { family, lookEveryMs } = this.#options;
    const channel = await link.openChannel();
    await declareFamily(channel, family);
    // The next batch is here when one of these ends.
    await channel.prefetch((BATCHES_AT_WORK + 1) * this.#batch.max);
    const intake = new BatchIntake({
      link,
      channel,
      size: this.#batch,
      stopping: this.#stopping.signal,
      settle: (batch, before) => this.#settle(link, channel, batch, before),
    });
    await intake.start(family.work, lookEveryMs);
    this.#intake = intake;
    return intake;
  }

  /** From messages to their acks. Throws when the link is to be given up. */
  async #settle(link: Link, channel: Channel, batch: Batch, before: Promise<unknown>): Promise<void> {
    const { handle, onBatch, holdMs = HOLD_MS } = this.#options;
    const { messages, isOrdered } = batch;
    const started = performance.now();
    const overdue = new AbortController();
    const clock = setTimeout(() => overdue.abort(), holdMs).unref();
    const halt = AbortSignal.any([this.#stopping.signal, link.over, overdue.signal]);
    const forward = (failures: readonly Failure[]) => this.#forward(channel, failures, halt);
    const settlement = new BatchSettlement({ messages, channel, over: link.over, forward });
    try {
      await handle(messages.map(rawOf), halt, (part) => settlement.settle(part));
      await settlement.end(isOrdered ? before : undefined);
      if (!link.over.aborted) {
        onBatch?.({ size: messages.length, tookMs: performance.now() - started });
      }
    } finally {
      clearTimeout(clock);
    }
  }

  /** Each original is acked once its copy is safe; one that cannot be copied keeps no other waiting for its ack. */
  async #forward(channel: Channel, failures: readonly Failure[], halt: AbortSignal): Promise<void> {
    const { family, name, publisher, logger, onFailed } = this.#options;
    const circumstances = { family, now: new Date(), worker: name };
    const copies = failures.map(({ message, outcome }) => ({
      message,
      settlement: settlementOf(outcome, headersOf(message.properties), circumstances),
    }));
    const impossible: ConsumeMessage[] = [];
    await forwardAll(copies, { publisher, logger }, halt, (place, forwarded) => {
      const { message, outcome } = failures[place] as Failure;
      if (forwarded === "forwarded") {
        channel.ack(message);
        const deadLettered = copies[place]?.settlement.to === family.deadLetter;
        onFailed?.({ message: rawOf(message), outcome, deadLettered });
      } else if (forwarded === "impossible") {
        impossible.push(message);
      } else {
        channel.nack(message, false, true); // Not its fault: RabbitMQ 4.3 counts no nack.
      }
    });
    if (impossible.length > 0) {
      // What cannot be copied has to come to its delivery limit, and not in a hot loop.
      await pause(REJECT_PAUSE_MS, this.#stopping.signal);
      for (const message of impossible) {
        channel.reject(message, true);
      }
    }
  }
}

function rawOf({ content, properties }: ConsumeMessage): RawEvent {
  return {
    body: content,
    type: properties.type,
    messageId: properties.messageId,
    headers: properties.headers ?? {},
  };
}
