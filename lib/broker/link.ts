import { once } from "node:events";
import type { Socket } from "node:net";
import type { Channel, ChannelModel, ConfirmChannel } from "amqplib";
import { deferred, within } from "../timing.js";

/** For each step of an orderly close; after that the socket is destroyed. */
const CLOSE_TIMEOUT_MS = 2_000;
const LAST_BYTES_TIMEOUT_MS = 200;

/** The queue is gone, or a message was held longer than its limit. */
export class ConsumerCancelled extends Error {
  constructor(queue: string) {
    super(`the broker cancelled the consumer of ${queue}`);
  }
}

/** Why a link ended that nothing was wrong with. */
export class ClosedByUs extends Error {
  constructor() {
    super("closed by us");
  }
}

/**
 * One connection and its channels with one fate: when anything on it ends, all of it ends. amqplib reports the same loss
 * as a channel's close, a channel's error, a cancelled consumer or a connection's close; whoever needs the broker again
 * starts over from a new connection (some ten milliseconds), so there is one way to recover instead of four.
 */
export class Link {
  readonly #model: ChannelModel;
  readonly #channels: Channel[] = [];
  readonly #over = new AbortController();
  readonly #ended = deferred<Error>();
  #hungUp: Promise<void> | undefined;

  constructor(model: ChannelModel) {
    this.#model = model;
    // Before any await: without an error listener the next network fault ends the process.
    model.on("error", (error: Error) => this.drop(error));
    model.on("close", (error?: Error) => this.drop(error ?? new Error("connection closed")));
  }

  /** Fires the moment nothing sent here has an effect any more: acks of its deliveries are void. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Resolves with the reason when the link is over. Never rejects. */
  get ended(): Promise<Error> {
    return this.#ended.promise;
  }

  async openChannel(): Promise<Channel> {
    return this.#adopt(await this.#model.createChannel());
  }

  async openConfirmChannel(): Promise<ConfirmChannel> {
    return this.#adopt(await this.#model.createConfirmChannel());
  }

  /** @param listener told whether the broker blocks us, and why. */
  onBlocked(listener: (blocked: boolean, reason: string) => unknown): void {
    this.#model.on("blocked", (reason: string) => listener(true, reason));
    this.#model.on("unblocked", () => listener(false, ""));
  }

  /** Gives the link up, also for a reason that its owner saw. */
  drop(reason: Error): void {
    this.#over.abort();
    this.#ended.resolve(reason);
    this.#hungUp ??= this.#hangUp();
  }

  /** Delivers what was sent so far, then closes. Resolves within a few seconds, whatever the broker does. */
  async close(): Promise<void> {
    const channels = this.#over.signal.aborted ? [] : [...this.#channels];
    this.#over.abort();
    // Channels first: amqplib lets the connection's close overtake acks that wait in a channel's buffer.
    await Promise.all(channels.map((channel) => closed(channel.close())));
    this.drop(new ClosedByUs());
    await this.#hungUp;
  }

  #adopt<T extends Channel>(channel: T): T {
    this.#channels.push(channel);
    // Ahead of amqplib's own listener, which fails the unconfirmed publishes: they must find the link already over.
    channel.prependListener("error", (error: Error) => this.#lose(error));
    channel.prependListener("close", () => this.#lose(new Error("channel closed")));
    return channel;
  }

  /** A channel went away. Our own close ends them too; that is not a loss. */
  #lose(reason: Error): void {
    if (!this.#over.signal.aborted) {
      this.drop(reason);
    }
  }

  /**
   * amqplib only half-closes its socket, and its close() never resolves when the peer is dead; a connection that nobody
   * holds any more could so keep its socket, its timers and the process. Destroying with an error is what makes amqplib
   * settle everything that still waits.
   */
  async #hangUp(): Promise<void> {
    const stream = socketOf(this.#model);
    // amqplib may be about to tell us of the end, in the middle of it: only after that does close() see it.
    await Promise.resolve();
    await closed(this.#model.close());
    // Time for the last bytes, such as our answer to the broker's own close.
    if (!stream.destroyed) {
      await closed(once(stream, "close"), LAST_BYTES_TIMEOUT_MS);
    }
    if (!stream.destroyed) {
      stream.destroy(new Error("connection given up"));
    }
  }
}

const socketOf = (model: ChannelModel) => (model.connection as unknown as { stream: Socket }).stream;

/** Waits for a close, but not for long. */
async function closed(closing: Promise<unknown>, limitMs = CLOSE_TIMEOUT_MS): Promise<void> {
  try {
    await within(limitMs, closing, () => new Error("no answer"));
  } catch {
    // Already closed, or no answer: either way there is nothing more to do.
  }
}
