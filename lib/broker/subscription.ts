import type { Channel, ConsumeMessage } from "amqplib";
import { pause, within } from "../timing.js";
import { ConsumerCancelled, type Link } from "./link.js";

/** A dead peer doesn't answer; its messages go elsewhere anyhow. */
const CANCEL_MS = 2_000;
const WAKE_EVERY_MS = 1_000;
/** Two looks in a row decide. A look is one small question to the broker, and is left out while messages come. */
const LOOK_EVERY_MS = 5_000;

export interface SubscriptionOptions {
  readonly queue: string;
  /** Never throws: amqplib would close the channel. */
  readonly onMessage: (message: ConsumeMessage) => void;
  /** Whether no message of this consumer is waiting or at work: then the broker has nothing to wait for. */
  readonly isIdle: () => boolean;
  /** A shorter one is for tests. */
  readonly lookEveryMs?: number | undefined;
}

/**
 * A consumer of one queue on one link. It can rest: what it has taken can still be settled, and nothing more comes.
 *
 * It gives the link up when the broker cancels it, and when the broker keeps from it what the queue holds. RabbitMQ 3.10 does the
 * latter for good, and tells nobody, when a quorum queue is deleted and declared again before its consumers' channels know (12 of 12
 * in a trial): it attaches them to the new queue, and drops its messages as ones that they have had. What it dropped, up to the prefetch
 * count, nobody sees until the link ends; more than that waits in the queue, and is seen.
 */
export class Subscription {
  readonly #link: Link;
  readonly #channel: Channel;
  readonly #options: SubscriptionOptions;
  #tag = "";
  #resting: Promise<unknown> | undefined;
  #arrived = 0;

  constructor(link: Link, channel: Channel, options: SubscriptionOptions) {
    this.#link = link;
    this.#channel = channel;
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#consume();
    void this.#watch().catch((error: Error) => this.#link.drop(error));
  }

  async #consume(): Promise<void> {
    const { queue, onMessage } = this.#options;
    ({ consumerTag: this.#tag } = await this.#channel.consume(queue, (message) => {
      if (message === null) {
        this.#link.drop(new ConsumerCancelled(queue));
      } else {
        this.#arrived += 1;
        onMessage(message);
      }
    }));
  }

  async #watch(): Promise<void> {
    const { queue, isIdle, lookEveryMs = LOOK_EVERY_MS } = this.#options;
    const { over } = this.#link;
    for (let keptBack = false; ; ) {
      const arrived = this.#arrived;
      await pause(lookEveryMs, over);
      const isWaiting = () => this.#resting === undefined && this.#arrived === arrived && isIdle();
      if (over.aborted) {
        return;
      }
      if (!isWaiting()) {
        keptBack = false;
        continue;
      }
      const { messageCount } = await this.#channel.checkQueue(queue);
      if (messageCount > 0 && keptBack && isWaiting()) {
        throw new Error(`the broker holds ${messageCount} messages in ${queue} and gives none of them`);
      }
      keptBack = messageCount > 0 && isWaiting();
    }
  }

  /** An answer of the broker comes behind the messages that it sent before. */
  async roundTrip(queue: string): Promise<void> {
    await within(CANCEL_MS, this.#channel.checkQueue(queue), () => new Error("no answer"));
  }

  /** Resolves when no more messages come. */
  async cancel(): Promise<void> {
    await within(CANCEL_MS, this.#channel.cancel(this.#tag), () => new Error("no answer"));
  }

  /** The same, until all is well again. */
  async rest(isWell: () => boolean, stopping: AbortSignal): Promise<void> {
    if (this.#resting === undefined) {
      this.#resting = this.cancel();
      void this.#wake(this.#resting, isWell, stopping).catch((error: Error) => this.#link.drop(error));
    }
    await this.#resting;
  }

  async #wake(cancelled: Promise<unknown>, isWell: () => boolean, stopping: AbortSignal): Promise<void> {
    await cancelled;
    do {
      await pause(WAKE_EVERY_MS, stopping);
    } while (!isWell() && !this.#link.over.aborted && !stopping.aborted);
    if (this.#link.over.aborted || stopping.aborted) {
      return;
    }
    this.#resting = undefined;
    await this.#consume();
  }
}
