import type { Channel, ConsumeMessage } from "amqplib";
import { pause, within } from "../timing.js";
import type { Link } from "./link.js";

/** A dead peer doesn't answer; its messages go elsewhere anyhow. */
const CANCEL_MS = 2_000;
const WAKE_EVERY_MS = 1_000;

/** A consumer of one queue on one link. It can rest: what it has taken can still be settled, and nothing more comes. */
export class Subscription {
  readonly #link: Link;
  readonly #channel: Channel;
  readonly #consume: () => Promise<{ consumerTag: string }>;
  #tag = "";
  #resting: Promise<unknown> | undefined;

  constructor(
    link: Link,
    channel: Channel,
    queue: string,
    onMessage: (message: ConsumeMessage | null) => void,
  ) {
    this.#link = link;
    this.#channel = channel;
    this.#consume = () => channel.consume(queue, onMessage);
  }

  async start(): Promise<void> {
    ({ consumerTag: this.#tag } = await this.#consume());
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
    await this.start();
  }
}
