import type { Writable } from "node:stream";
import type { ConfirmChannel, Message } from "amqplib";
import { CoreError } from "../core_errors.js";
import type { PlatformError } from "../errors.js";
import { type Deferred, deferred } from "../timing.js";
import { type Publish, publishFrames } from "./frames.js";
import type { Link } from "./link.js";
import type { MessageProperties } from "./properties.js";
import { type Destination, EVENTS_EXCHANGE, nameOf } from "./topology.js";

/** A message with its own id, ready to be sent. */
export interface OutgoingMessage {
  readonly to: Destination;
  readonly body: Buffer;
  readonly properties: MessageProperties & { readonly messageId: string };
}

/**
 * Publishing on one link, where published means: on disk in a quorum queue. The broker acks even what it had no queue for,
 * after it has sent it back (basic.return); so a message counts when it was acked and not returned. A return names no delivery
 * tag, only queue and id: so of messages that share both, one is under way at a time.
 */
export class ConfirmedPublishing {
  readonly #channel: ConfirmChannel;
  readonly #over: AbortSignal;
  readonly #events: ReadonlySet<string>;
  readonly #returned = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();
  /** Pending while the broker blocks us or the channel's buffer is full: what waits stays with its caller. */
  #room: Deferred<void> | undefined;
  #blocked = false;

  /** @param events that somebody takes; of another one nobody misses it when no queue does */
  constructor(channel: ConfirmChannel, link: Link, events: ReadonlySet<string>) {
    this.#channel = channel;
    this.#events = events;
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

  /** Sends now, or after the one of the same id. @throws PlatformError PUBLISH_UNROUTABLE, PUBLISH_NACKED, PUBLISH_INTERRUPTED */
  async send({ to, body, properties }: OutgoingMessage): Promise<void> {
    const { exchange, routingKey } = addressOf(to);
    const key = keyOf(routingKey, properties.messageId);
    for (let ahead = this.#underWay.get(key); ahead !== undefined; ahead = this.#underWay.get(key)) {
      await ahead.catch(() => undefined);
    }
    if (this.over) {
      throw interrupted(to, undefined);
    }
    const confirmed = deferred<void>();
    const onConfirm = (failure: unknown) => {
      this.#underWay.delete(key);
      if (this.#returned.delete(key)) {
        confirmed.reject(unroutable(to));
      } else if (failure === null) {
        confirmed.resolve();
      } else {
        confirmed.reject(this.over ? interrupted(to, failure) : nacked(to));
      }
    };
    const options = { ...properties, persistent: true, mandatory: true };
    const roomLeft = this.#channel.publish(exchange, routingKey, body, options, onConfirm);
    this.#underWay.set(key, confirmed.promise);
    if (!roomLeft) {
      this.#room ??= deferred();
    }
    return confirmed.promise;
  }

  /**
   * Sends all of them at once; resolves when each is confirmed. One promise for all: of thousands a second, each of its own
   * costs more than its message.
   *
   * @throws PlatformError as `send`, of the first that failed; the others may have arrived.
   */
  sendAll(messages: readonly OutgoingMessage[]): Promise<void> {
    const all = deferred<void>();
    let missing = messages.length;
    if (missing === 0) {
      all.resolve();
    }
    const publishes = messages.map(({ to, body, properties }): Publish => {
      const { exchange, routingKey } = addressOf(to);
      const mandatory = exchange !== EVENTS_EXCHANGE || this.#events.has(routingKey);
      return { exchange, routingKey, mandatory, body, properties };
    });
    this.#publish(publishes, (i) => {
      const { to, properties } = messages[i] as OutgoingMessage;
      const key = keyOf(addressOf(to).routingKey, properties.messageId);
      return (failure) => {
        missing -= 1;
        if (this.#returned.delete(key)) {
          all.reject(unroutable(to));
        } else if (failure !== null) {
          all.reject(this.over ? interrupted(to, failure) : nacked(to));
        } else if (missing === 0) {
          all.resolve();
        }
      };
    });
    return all.promise;
  }

  /** Writes all of them in one piece where that can be. */
  #publish(publishes: readonly Publish[], onConfirmOf: (i: number) => OnConfirm): void {
    const inside = this.#channel as unknown as Inside;
    const { ch, connection } = inside;
    const buffer = connection.channels[ch]?.buffer;
    const frames = publishFrames(ch, publishes, connection.frameMax);
    let roomLeft = true;
    if (frames !== undefined && buffer !== undefined) {
      roomLeft = buffer.write(frames);
      for (const i of publishes.keys()) {
        inside.pushConfirmCallback(onConfirmOf(i));
      }
    } else {
      for (const [i, { exchange, routingKey, mandatory, body, properties }] of publishes.entries()) {
        const options = { ...properties, persistent: true, mandatory };
        roomLeft = this.#channel.publish(exchange, routingKey, body, options, onConfirmOf(i));
      }
    }
    if (!roomLeft) {
      this.#room ??= deferred();
    }
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
    `The broker refused a message for "${nameOf(to)}": a queue is full.`,
  );
}

function interrupted(to: Destination, cause: unknown): PlatformError {
  return new CoreError(
    "PUBLISH_INTERRUPTED",
    `The connection went away before a message for "${nameOf(to)}" was confirmed; it may have arrived.`,
    { cause },
  );
}
