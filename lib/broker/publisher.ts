import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CoreError } from "../core_errors.js";
import { codeOf } from "../errors.js";
import { within } from "../timing.js";
import { ConfirmedPublishing, type OutgoingMessage } from "./confirms.js";
import { BrokerConnection, type ConnectionTarget } from "./connection.js";
import type { MessageProperties } from "./properties.js";
import { type Destination, declareFamily, nameOf, type QueueFamily } from "./topology.js";

/** A blocked broker (memory or disk alarm) takes what we send and answers nothing, for as long as the alarm lasts. */
const CONFIRM_TIMEOUT_MS = 10_000;

export interface PublisherOptions extends ConnectionTarget {
  /** Declared on every new connection. */
  readonly families: readonly QueueFamily[];
  readonly timeoutMs?: number;
  /** Told of each publish: what came of it (`confirmed` or the error's code) and how long that took. */
  readonly observe?: (to: string, result: string, ms: number) => void;
}

/**
 * Publishes to queues, one promise a message. On a connection of its own, because an alarm blocks publishing connections
 * whole: consumers beside it go on acking. It holds no messages: during an outage they wait with their callers.
 */
export class Publisher {
  readonly #connection: BrokerConnection<ConfirmedPublishing>;
  readonly #timeoutMs: number;
  readonly #observe: PublisherOptions["observe"];
  readonly #inFlight = new Set<Promise<void>>();
  #session: ConfirmedPublishing | undefined;
  #closed = false;

  constructor(options: PublisherOptions) {
    this.#timeoutMs = options.timeoutMs ?? CONFIRM_TIMEOUT_MS;
    this.#observe = options.observe;
    const events = new Set(options.families.flatMap(({ event }) => event ?? []));
    this.#connection = new BrokerConnection({
      ...options,
      setUp: async (link) => {
        const channel = await link.openConfirmChannel();
        for (const family of options.families) {
          await declareFamily(channel, family);
        }
        this.#session = new ConfirmedPublishing(channel, link, events);
        return this.#session;
      },
    });
  }

  /** Resolves when connected. @throws PlatformError RABBITMQ_UNREACHABLE (connectPolicy `once`), RABBITMQ_AUTH */
  async up(): Promise<void> {
    await this.#connection.up();
  }

  /**
   * Resolves when the broker has the message safe in `queue`. While there is no connection it waits for one, within the
   * time limit.
   *
   * @throws PlatformError PUBLISH_UNROUTABLE and PUBLISH_NACKED: it did not arrive. PUBLISH_INTERRUPTED and
   * PUBLISH_TIMEOUT: it may have; publishing it again may make it two.
   */
  async publish(to: Destination, body: Buffer | string, properties: MessageProperties = {}): Promise<void> {
    const content = typeof body === "string" ? Buffer.from(body) : body;
    const messageId = properties.messageId ?? randomUUID();
    const message = { to, body: content, properties: { ...properties, messageId } };
    await this.#watched([message], (session) => session.send(message));
  }

  /**
   * Publishes all of them at once; resolves when the broker has each safe in its queues.
   *
   * @throws PlatformError as `publish`, of the first that failed; the others may have arrived.
   */
  async publishAll(messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length > 0) {
      await this.#watched(messages, (session) => session.sendAll(messages));
    }
  }

  /** Waits for messages to be sent and confirmed, but not for long, and tells what came of them. */
  async #watched(
    messages: readonly OutgoingMessage[],
    send: (session: ConfirmedPublishing) => Promise<void>,
  ): Promise<void> {
    if (this.#closed) {
      throw new CoreError("PUBLISH_INTERRUPTED", "The publisher is closed.");
    }
    const call = { sent: false, expired: false };
    const published = within(this.#timeoutMs, this.#deliver(call, send), () => {
      call.expired = true;
      const what = call.sent
        ? `was not confirmed within ${this.#timeoutMs} ms; it may have arrived`
        : `could not be sent within ${this.#timeoutMs} ms: no connection, or the broker blocks publishers`;
      return new CoreError(
        "PUBLISH_TIMEOUT",
        `A message for "${messages.map(({ to }) => nameOf(to))[0]}" ${what}.`,
        {
          hint: "See the broker's alarms: memory, disk.",
        },
      );
    });
    this.#inFlight.add(published);
    const started = performance.now();
    let result = "confirmed";
    try {
      await published;
    } catch (error) {
      result = codeOf(error) ?? "INTERNAL";
      throw error;
    } finally {
      this.#inFlight.delete(published);
      const ms = performance.now() - started;
      for (const { to } of this.#observe === undefined ? [] : messages) {
        this.#observe?.(nameOf(to), result, ms);
      }
    }
  }

  /** Messages ready in one of the queues that were declared. */
  async messagesIn(queue: string): Promise<number> {
    const session = await this.#connection.up();
    return within(
      this.#timeoutMs,
      session.messagesIn(queue),
      () => new CoreError("PUBLISH_TIMEOUT", `The broker did not tell how many messages are in "${queue}".`),
    );
  }

  get isUp(): boolean {
    return this.#connection.isUp;
  }

  /** Whether the broker takes messages, as far as one can know without sending any: an alarm shows only then. */
  get isWritable(): boolean {
    return this.isUp && this.#session?.hasRoom === true;
  }

  /** Waits for the confirms under way (at most the time limit), then closes. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#inFlight);
    await this.#connection.close();
  }

  async #deliver(
    call: { sent: boolean; expired: boolean },
    send: (session: ConfirmedPublishing) => Promise<void>,
  ): Promise<void> {
    for (;;) {
      const session = await this.#connection.up();
      await session.room();
      // What was reported as failed for want of a connection must not arrive later.
      if (call.expired) {
        return;
      }
      if (session.over) {
        await nextTurn();
      } else if (session.hasRoom) {
        call.sent = true;
        return send(session);
      }
    }
  }
}
