import type { ConfirmChannel, Message, Options } from "amqplib";
import { PlatformError } from "../errors.js";
import { type Deferred, deferred } from "../timing.js";
import type { Link } from "./link.js";

export type MessageProperties = Pick<Options.Publish, "headers" | "messageId" | "contentType">;

/**
 * Publishing on one link, where published means: on disk in a quorum queue. The broker acks even what it had no queue for,
 * after it has sent it back (basic.return); so a message counts when it was acked and not returned. Each publish bears
 * its own mark in `correlationId`, since a return names no delivery tag and two messages may share a `messageId`.
 */
export class ConfirmedPublishing {
  readonly #channel: ConfirmChannel;
  readonly #over: AbortSignal;
  readonly #returned = new Set<string>();
  #marks = 0;
  /** Pending while the broker blocks us or the channel's buffer is full: what waits stays with its caller. */
  #room: Deferred<void> | undefined;
  #blocked = false;

  constructor(channel: ConfirmChannel, link: Link) {
    this.#channel = channel;
    this.#over = link.over;
    channel.on("return", (message: Message) => this.#returned.add(message.properties.correlationId));
    channel.on("drain", () => this.#makeRoom());
    link.onBlocked((blocked) => {
      this.#blocked = blocked;
      if (blocked) this.#room ??= deferred();
      else this.#makeRoom();
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
    if (!this.over) await this.#room?.promise;
  }

  /** Sends now. @throws PlatformError PUBLISH_UNROUTABLE, PUBLISH_NACKED, PUBLISH_INTERRUPTED */
  send(queue: string, body: Buffer, properties: MessageProperties): Promise<void> {
    this.#marks += 1;
    const mark = String(this.#marks);
    const confirmed = deferred<void>();
    const onConfirm = (failure: unknown) => {
      if (this.#returned.delete(mark)) confirmed.reject(unroutable(queue));
      else if (failure === null) confirmed.resolve();
      else confirmed.reject(this.over ? interrupted(queue, failure) : nacked(queue));
    };
    const options = { ...properties, correlationId: mark, persistent: true, mandatory: true };
    const roomLeft = this.#channel.publish("", queue, body, options, onConfirm);
    if (!roomLeft) this.#room ??= deferred();
    return confirmed.promise;
  }

  #makeRoom(): void {
    if (this.#blocked) return;
    this.#room?.resolve();
    this.#room = undefined;
  }
}

function unroutable(queue: string): PlatformError {
  return new PlatformError("PUBLISH_UNROUTABLE", `There is no queue "${queue}".`);
}

function nacked(queue: string): PlatformError {
  return new PlatformError(
    "PUBLISH_NACKED",
    `The broker refused a message for "${queue}": the queue is full.`,
  );
}

function interrupted(queue: string, cause: unknown): PlatformError {
  return new PlatformError(
    "PUBLISH_INTERRUPTED",
    `The connection went away before a message for "${queue}" was confirmed; it may have arrived.`,
    { cause },
  );
}
