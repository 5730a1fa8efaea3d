import type { Writable } from "node:stream";
import type { ConfirmChannel, Message } from "amqplib";
import { CoreError } from "../core_errors.js";
import type { PlatformError } from "../errors.js";
import { type Deferred, deferred } from "../timing.js";
import { type Publish, publishFrames } from "./frames.js";
import type { Link } from "./link.js";
import type { MessageProperties } from "./properties.js";
import { type Destination, declareFamily, EVENTS_EXCHANGE, nameOf, type QueueFamily } from "./topology.js";

/** A message with its own id, ready to be sent. */
export interface OutgoingMessage {
  readonly to: Destination;
  readonly body: Buffer;
  readonly properties: MessageProperties & { readonly messageId: string };
}

/** Messages ready, and those who take them. */
export interface QueueState {
  readonly messages: number;
  readonly consumers: number;
}

/** Told what came of the message in a place: a failure, or nothing when the broker has it safe. */
export type Settle = (place: number, failure?: Error) => void;

/**
 * Publishing on one link, where published means: on disk in a quorum queue. The broker acks even what it had no queue for,
 * after it has sent it back (basic.return); so a message counts when it was acked and not returned. A return names no delivery
 * tag, only queue and id: so of messages that share both, one is under way at a time.
 */
export class ConfirmedPublishing {
  readonly #channel: ConfirmChannel;
  readonly #over: AbortSignal;
  readonly #families: readonly QueueFamily[];
  /** Events that somebody takes; of another one nobody misses it when no queue does. */
  readonly #events: ReadonlySet<string>;
  readonly #returned = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();
  /** Pending while the broker blocks us or the channel's buffer is full: what waits stays with its caller. */
  #room: Deferred<void> | undefined;
  #blocked = false;
  #declaring: Promise<void> | undefined;

  constructor(channel: ConfirmChannel, link: Link, families: readonly QueueFamily[]) {
    this.#channel = channel;
    this.#families = families;
    this.#events = new Set(families.flatMap(({ event }) => event ?? []));
    this.#over = link.over;
    channel.on("return", ({ fields, properties }: Message) =>
      this.#returned.add(keyOf(fields.routingKey, properties.messageId)),
    );
    channel.on("drain", () => this.#makeRoom());
    link.onBlocked((blocked) => {
      this.#blocked = blocked;
      if (blocked) {
        this.#room ??= deferred();
      } else {
        this.#makeRoom();
      }
    });
    this.#over.addEventListener("abort", () => this.#room?.resolve(), { once: true });
  }

  /** Declares all queues; once for all who ask meanwhile. */
  async declare(): Promise<void> {
    this.#declaring ??= this.#declareAll().finally(() => {
      this.#declaring = undefined;
    });
    await this.#declaring;
  }

  async #declareAll(): Promise<void> {
    for (const family of this.#families) {
      await declareFamily(this.#channel, family);
    }
  }

  get over(): boolean {
    return this.#over.aborted;
  }

  get hasRoom(): boolean {
    return this.#room === undefined;
  }

  /** Resolves when it is worth looking again: there may be room, or the link may be over. */
  async room(): Promise<void> {
    if (!this.over) {
      await this.#room?.promise;
    }
  }

  /** A queue, which must be there. */
  async lookAt(queue: string): Promise<QueueState> {
    const { messageCount: messages, consumerCount: consumers } = await this.#channel.checkQueue(queue);
    return { messages, consumers };
  }

  /**
   * Sends all of them at once, but those that share queue and id one after the other. Resolves when it is known what came of
   * each. One promise for all: of thousands a second, each of its own costs more than its message.
   *
   * @param settle told of each message by its place; without a failure it is safe in its queues. Failures are PlatformErrors
   *   PUBLISH_UNROUTABLE, PUBLISH_NACKED, PUBLISH_INTERRUPTED; anything else means that it cannot be encoded.
   */
  async sendAll(messages: readonly OutgoingMessage[], settle: Settle): Promise<void> {
    let places: Iterable<number> = messages.keys();
    for (;;) {
      const now: number[] = [];
      const later: number[] = [];
      const ahead = new Set<Promise<void>>();
      const round = deferred<void>();
      let missing = 1;
      const end = () => {
        missing -= 1;
        if (missing === 0) {
          round.resolve();
        }
      };
      for (const i of places) {
        const message = messages[i] as OutgoingMessage;
        const key = keyOf(addressOf(message.to).routingKey, message.properties.messageId);
        const before = this.#underWay.get(key);
        if (before !== undefined) {
          later.push(i);
          ahead.add(before);
          continue;
        }
        missing += 1;
        this.#underWay.set(key, round.promise);
        now.push(i);
      }
      const sent = now.map((i) => messages[i] as OutgoingMessage);
      this.#sendNow(sent, (k, failure) => {
        const { to, properties } = sent[k] as OutgoingMessage;
        const key = keyOf(addressOf(to).routingKey, properties.messageId);
        this.#underWay.delete(key);
        settle(now[k] as number, this.#returned.delete(key) ? unroutable(to) : failure);
        end();
      });
      end();
      await round.promise;
      if (later.length === 0) {
        return;
      }
      await Promise.all(ahead);
      places = later;
    }
  }

  /** Writes all of them in one piece where that can be. */
  #sendNow(messages: readonly OutgoingMessage[], settle: Settle): void {
    const inside = this.#channel as unknown as Inside;
    const { ch, connection } = inside;
    const buffer = connection.channels[ch]?.buffer;
    const publishes = messages.map((message) => this.#publishOf(message));
    const frames = publishFrames(ch, publishes, connection.frameMax);
    const onConfirmOf = (k: number) => (failure: unknown) => {
      const { to } = messages[k] as OutgoingMessage;
      if (failure === null) {
        settle(k);
      } else {
        settle(k, this.over ? interrupted(to, failure) : nacked(to));
      }
    };
    if (frames === undefined || buffer === undefined) {
      for (const [k, publish] of publishes.entries()) {
        this.#sendOne(publish, onConfirmOf(k), (failure) => settle(k, failure));
      }
      return;
    }
    if (!buffer.write(frames)) {
      this.#room ??= deferred();
    }
    for (const k of publishes.keys()) {
      inside.pushConfirmCallback(onConfirmOf(k));
    }
  }

  #sendOne(publish: Publish, onConfirm: OnConfirm, onFailure: (failure: Error) => void): void {
    const { exchange, routingKey, mandatory, body, properties } = publish;
    try {
      const options = { ...properties, persistent: true, mandatory };
      if (!this.#channel.publish(exchange, routingKey, body, options, onConfirm)) {
        this.#room ??= deferred();
      }
    } catch (error) {
      // Nothing of it was sent: the channel is closed, or it has what AMQP cannot hold.
      onFailure(this.over ? interrupted({ exchange, routingKey }, error) : (error as Error));
    }
  }

  #publishOf({ to, body, properties }: OutgoingMessage): Publish {
    const { exchange, routingKey } = addressOf(to);
    const mandatory = exchange !== EVENTS_EXCHANGE || this.#events.has(routingKey);
    return { exchange, routingKey, mandatory, body, properties };
  }

  #makeRoom(): void {
    if (this.#blocked) {
      return;
    }
    this.#room?.resolve();
    this.#room = undefined;
  }
}

type OnConfirm = (failure: unknown) => void;

/** What amqplib's `publish` of a confirm channel does its work with. */
interface Inside {
  readonly ch: number;
  readonly connection: {
    readonly frameMax: number;
    readonly channels: readonly ({ readonly buffer: Writable } | null)[];
  };
  pushConfirmCallback(onConfirm: OnConfirm): void;
}

function addressOf(to: Destination): Exclude<Destination, string> {
  return typeof to === "string" ? { exchange: "", routingKey: to } : to;
}

function keyOf(routingKey: string, messageId: unknown): string {
  return `${routingKey} ${String(messageId)}`;
}

function unroutable(to: Destination): PlatformError {
  return new CoreError("PUBLISH_UNROUTABLE", `There is no queue for "${nameOf(to)}".`);
}

function nacked(to: Destination): PlatformError {
  return new CoreError(
    "PUBLISH_NACKED",
    `The broker refused a message for "${nameOf(to)}": a queue is full, or has no leader just now.`,
  );
}

function interrupted(to: Destination, cause: unknown): PlatformError {
  return new CoreError(
    "PUBLISH_INTERRUPTED",
    `The connection went away before a message for "${nameOf(to)}" was confirmed; it may have arrived.`,
    { cause },
  );
}
