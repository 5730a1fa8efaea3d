import type { Channel, Message } from "amqplib";
import { pause } from "../timing.js";

/** Messages that one nack returns. RabbitMQ keeps their order up to this number. (Seen on 3.10; at worst the order is lost.) */
const RETURN_LETTERS = 32;
/** Nacks sent without waiting. RabbitMQ merges them, and loses the order, when 32 are under way. */
const RETURNS_UNDER_WAY = 16;
/** How long the queue is watched for what was returned. It takes milliseconds; the connection's end returns the rest. */
const SETTLE_MS = 5_000;
const SETTLE_EVERY_MS = 10;
/** Acks that are under way end first, so that RabbitMQ does not merge the nacks with them. */
const SETTLE_DELAY_MS = 50;

/** Messages held on a channel, which are returned to their places in the queue. Only every 32nd delivery tag is kept. */
export class HeldMessages {
  readonly #channel: Channel;
  readonly #queue: string;
  #count = 0;
  #marks: number[] = [];

  constructor(channel: Channel, queue: string) {
    this.#channel = channel;
    this.#queue = queue;
  }

  /** To be called in the order of delivery. */
  add(deliveryTag: number): void {
    this.#count += 1;
    if (this.#count % RETURN_LETTERS === 0) {
      this.#marks.push(deliveryTag);
    }
  }

  /** Returns all of them in order. The connection's end would shuffle them, and RabbitMQ 4.3 would count a failed delivery. */
  async giveBack(): Promise<void> {
    if (this.#count === 0) {
      return;
    }
    await pause(SETTLE_DELAY_MS);
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
