import type { Channel, Message } from "amqplib";
import { pause } from "../timing.js";

/**
 * What comes back in one answer is in order up to this number (a map of the Erlang runtime), and answers are one command each
 * as long as fewer than 32 are under way (then the broker merges them). Both seen on 3.10; at worst the order suffers.
 */
const RETURN_LETTERS = 32;
const RETURNS_UNDER_WAY = 16;
/** Both steps take milliseconds; after the limit the rest is left to the connection's end. */
const SETTLE_MS = 5_000;
const SETTLE_EVERY_MS = 10;
/** For acks under way, so that the answers to come aren't merged with them. */
const CALM_MS = 50;

/** Messages of one channel that will go back into their queue, to where they were: kept as a number for every 32 of them. */
export class HeldMessages {
  readonly #channel: Channel;
  readonly #queue: string;
  #count = 0;
  #marks: number[] = [];

  constructor(channel: Channel, queue: string) {
    this.#channel = channel;
    this.#queue = queue;
  }

  /** Adds one, in the order of delivery. */
  add(deliveryTag: number): void {
    this.#count += 1;
    if (this.#count % RETURN_LETTERS === 0) {
      this.#marks.push(deliveryTag);
    }
  }

  /** Asked for rather than left to the connection's end: that shuffles them, and RabbitMQ 4.3 counts it as a failure. */
  async giveBack(): Promise<void> {
    if (this.#count === 0) {
      return;
    }
    await pause(CALM_MS);
    // After a pass cut short, messages that it never saw.
    const unseen = await this.#ready();
    const deadline = Date.now() + SETTLE_MS;
    const back = async (messages: number) => {
      while ((await this.#ready()) < unseen + messages && Date.now() < deadline) {
        await pause(SETTLE_EVERY_MS);
      }
    };
    for (let i = 0; i < this.#marks.length; i += RETURNS_UNDER_WAY) {
      const marks = this.#marks.slice(i, i + RETURNS_UNDER_WAY);
      for (const mark of marks) {
        this.#channel.nack(byTag(mark), true, true);
      }
      await back((i + marks.length) * RETURN_LETTERS);
    }
    this.#channel.nackAll(true);
    await back(this.#count);
  }

  async #ready(): Promise<number> {
    return (await this.#channel.checkQueue(this.#queue)).messageCount;
  }
}

/** All that amqplib needs of a message to settle it. */
export function byTag(deliveryTag: number): Message {
  return { fields: { deliveryTag } } as Message;
}
