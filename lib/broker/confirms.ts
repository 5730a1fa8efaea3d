import type { ConfirmChannel, Message } from "amqplib";
import { CoreError } from "../core_errors.js";
import { type Deferred, deferred } from "../timing.js";
import type { Link } from "./link.js";
import type { MessageProperties } from "./properties.js";

/**
 * Publishing on one link, where published means: on disk in a quorum queue. The broker acks even what it had no queue for,
 * after it has sent it back (basic.return); so a message counts when it was acked and not returned. A return names no delivery
 * tag, only queue and id: so of messages that share both, one is under way at a time.
 */
export class ConfirmedPublishing {
  readonly #channel: ConfirmChannel;
  readonly #over: AbortSignal;
  readonly #returned = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();
  /** Pending while the broker blocks us or the channel's buffer is full: what waits stays with its caller. */
  #room: Deferred<void> | undefined;
  #blocked = false;

  constructor(channel: ConfirmChannel, link: Link) {
    this.#channel = channel;
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
  async send(
    queue: string,
    body: Buffer,
    properties: MessageProperties & { readonly messageId: string },
  ): Promise<void> {
    const key = keyOf(queue, properties.messageId);
    for (let ahead = this.#underWay.get(key); ahead !== undefined; ahead = this.#underWay.get(key)) {
      await ahead.catch(() => undefined);
    }
    const interrupted = (cause?: unknown) =>
      new CoreError(
        "PUBLISH_INTERRUPTED",
        `The connection went away before a message for "${queue}" was confirmed; it may have arrived.`,
        { cause },
      );
    if (this.over) {
      throw interrupted();
    }
    const confirmed = deferred<void>();
    const onConfirm = (failure: unknown) => {
      this.#underWay.delete(key);
      if (this.#returned.delete(key)) {
        confirmed.reject(new CoreError("PUBLISH_UNROUTABLE", `There is no queue "${queue}".`));
      } else if (failure === null) {
        confirmed.resolve();
      } else if (this.over) {
        confirmed.reject(interrupted(failure));
      } else {
        const refused = `The broker refused a message for "${queue}": the queue is full.`;
        confirmed.reject(new CoreError("PUBLISH_NACKED", refused));
      }
    };
    const options = { ...properties, persistent: true, mandatory: true };
    const roomLeft = this.#channel.publish("", queue, body, options, onConfirm);
    this.#underWay.set(key, confirmed.promise);
    if (!roomLeft) {
      this.#room ??= deferred();
    }
    return confirmed.promise;
  }

  #makeRoom(): void {
    if (this.#blocked) {
      return;
    }
    this.#room?.resolve();
    this.#room = undefined;
  }
}

function keyOf(queue: string, messageId: unknown): string {
  return `${queue} ${String(messageId)}`;
}
