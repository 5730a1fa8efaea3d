import type { Channel, ConsumeMessage } from "amqplib";
import { messageOf } from "../errors.js";
import type { Logger } from "../log.js";
import { pause, within } from "../timing.js";
import { BrokerConnection, type Patience } from "./connection.js";
import type { Delivery, Handler, Outcome } from "./delivery.js";
import type { BrokerAddress } from "./dial.js";
import { type Disposition, dispose } from "./disposition.js";
import { forward } from "./forward.js";
import { attemptOf, deliveryCountOf } from "./headers.js";
import { Isolation, SUSPECT_DELIVERY_COUNT } from "./isolation.js";
import type { Link } from "./link.js";
import type { Publisher } from "./publisher.js";
import { Slots } from "./slots.js";
import { declareFamily, type QueueFamily } from "./topology.js";

/** Before a message goes back into the queue: it comes again at once, and each return counts towards the limit. */
const RELEASE_PAUSE_MS = 1_000;
/** A dead peer doesn't answer; its messages go elsewhere anyhow. */
const CANCEL_MS = 2_000;
/** Steps take seconds. Below the 30 s that Kubernetes waits before it kills; Docker's 10 s want a `stop_grace_period`. */
const DRAIN_MS = 25_000;

export interface ConsumerOptions {
  readonly address: BrokerAddress;
  /** Shown in the management UI and written into dead letters. */
  readonly name: string;
  readonly logger: Logger;
  readonly patience: Patience;
  readonly family: QueueFamily;
  /** Messages handled at a time, and held: a crash costs each held one a delivery. */
  readonly concurrency: number;
  /** Takes retries and dead letters; stays open until the consumer has stopped. */
  readonly publisher: Publisher;
  readonly handler: Handler;
}

interface Subscription {
  readonly link: Link;
  readonly channel: Channel;
  readonly cancel: () => Promise<unknown>;
}

/**
 * Consumes a family's work queue for as long as it lives, through lost connections, cancelled consumers and deleted queues.
 * A message leaves the queue only after its outcome is safe: at least once, so handlers must bear a repetition.
 */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #connection: BrokerConnection<Subscription>;
  readonly #inHand = new Set<Promise<void>>();
  readonly #isolation = new Isolation();
  readonly #slots: Slots;
  readonly #stopping = new AbortController();
  #subscription: Subscription | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#slots = new Slots(options.concurrency);
    this.#connection = new BrokerConnection({ ...options, setUp: (link) => this.#subscribe(link) });
  }

  /** Resolves when consuming. @throws PlatformError RABBITMQ_UNREACHABLE (patience `once`), RABBITMQ_AUTH */
  async up(): Promise<void> {
    await this.#connection.up();
  }

  get isUp(): boolean {
    return this.#connection.isUp;
  }

  /** Takes no more messages, waits for the handlers at work and their acks, then closes. */
  async stop(drainMs: number = DRAIN_MS): Promise<void> {
    this.#stopping.abort();
    await this.#subscription?.cancel().catch(() => undefined); // On a lost link there is nothing to cancel.
    const drained = new AbortController();
    const drain = Promise.all(this.#inHand).then(() => drained.abort());
    await Promise.race([drain, pause(drainMs, drained.signal)]);
    if (this.#inHand.size > 0) {
      this.#options.logger.warn(
        { messages: this.#inHand.size },
        "stopped before all was done; it will come again",
      );
    }
    await this.#connection.close();
  }

  async #subscribe(link: Link): Promise<Subscription> {
    const { family, concurrency } = this.#options;
    const channel = await link.openChannel();
    await declareFamily(channel, family);
    await channel.prefetch(concurrency);
    const onMessage = (message: ConsumeMessage | null) => {
      // The broker cancelled us: the queue is gone, or a message was held longer than its limit.
      if (message === null) link.drop(new Error(`the broker cancelled the consumer of ${family.work}`));
      else this.#take({ link, channel }, message);
    };
    const { consumerTag } = await channel.consume(family.work, onMessage);
    const cancel = () => within(CANCEL_MS, channel.cancel(consumerTag), () => new Error("no answer"));
    this.#subscription = { link, channel, cancel };
    return this.#subscription;
  }

  /** Never throws: amqplib would close the channel. */
  #take(from: Lease, message: ConsumeMessage): void {
    // Came between stop and its confirmation: goes back with the channel.
    if (this.#stopping.signal.aborted) return;
    const work = this.#work(from, message)
      .catch((error) => from.link.drop(new Error(`could not settle a message: ${messageOf(error)}`)))
      .finally(() => this.#inHand.delete(work));
    this.#inHand.add(work);
  }

  async #work(from: Lease, message: ConsumeMessage): Promise<void> {
    const delivery = deliveryOf(message, from.link.over);
    const task = async () => {
      // The turn may have come late.
      if (delivery.lost.aborted || this.#stopping.signal.aborted) return;
      const outcome = await this.#handle(delivery);
      await this.#settle(from, message, outcome);
    };
    // Prefetch bounds what one link brings; handlers of a lost link may still be running beside those of the next.
    const turn = () => this.#slots.run(task);
    await (delivery.deliveryCount >= SUSPECT_DELIVERY_COUNT ? this.#isolation.run(turn) : turn());
  }

  async #handle(delivery: Delivery): Promise<Outcome> {
    try {
      return await this.#options.handler(delivery);
    } catch (error) {
      this.#options.logger.error({ err: error, messageId: delivery.messageId }, "a handler threw");
      return { kind: "retry", code: "INTERNAL", reason: messageOf(error) };
    }
  }

  async #settle({ link, channel }: Lease, message: ConsumeMessage, outcome: Outcome): Promise<void> {
    // Delivery tags belong to their channel, and what came over a lost link is the broker's again: no copy, no ack.
    if (link.over.aborted) return;
    const { family, name, publisher, logger } = this.#options;
    const headers = message.properties.headers ?? {};
    let fate: Disposition = dispose(outcome, headers, { family, now: new Date(), worker: name });
    if (fate.kind === "forward") {
      const halt = AbortSignal.any([link.over, this.#stopping.signal]);
      const redeclare = () => declareFamily(channel, family);
      const done = await forward({ message, fate, publisher, logger, halt, redeclare });
      if (done === "given up") return;
      fate = { kind: done === "forwarded" ? "ack" : "requeue" };
    }
    if (fate.kind === "requeue") await pause(RELEASE_PAUSE_MS, this.#stopping.signal);
    if (link.over.aborted) return;
    if (fate.kind === "ack") channel.ack(message);
    else channel.reject(message, true);
  }
}

type Lease = Pick<Subscription, "link" | "channel">;

function deliveryOf(message: ConsumeMessage, lost: AbortSignal): Delivery {
  const headers = message.properties.headers ?? {};
  return {
    body: message.content,
    headers,
    messageId: message.properties.messageId,
    attempt: attemptOf(headers),
    redelivered: message.fields.redelivered,
    deliveryCount: deliveryCountOf(headers),
    lost,
  };
}
