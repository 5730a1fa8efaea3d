import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CoreError } from "../core_errors.js";
import { codeOf } from "../errors.js";
import { pause, within } from "../timing.js";
import { ConfirmedPublishing, type OutgoingMessage, type QueueState, type Settle } from "./confirms.js";
import { BrokerConnection, type ConnectionTarget } from "./connection.js";
import type { MessageProperties } from "./properties.js";
import { type Destination, nameOf, type QueueFamily } from "./topology.js";

/** A blocked broker (memory or disk alarm) takes what we send and answers nothing, for as long as the alarm lasts. */
const CONFIRM_TIMEOUT_MS = 10_000;

/**
 * A refusal may be the channel's fault and not the queue's: one that first publishes to a quorum queue while the leader that RabbitMQ
 * has on record is away keeps to that leader, and refuses all that follows for as long as it is away, when the others have long elected
 * another (seen on 3.10.8 with a node apart: tests/cluster.machines). The next channel asks anew. Not more often than this: a queue may
 * really be full, and what else is under way on the link is cut with it.
 */
const RENEW_AFTER_MS = 2_000;

export interface PublisherOptions extends ConnectionTarget {
  /** Declared on every new connection, and when no queue takes a message. */
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
    this.#connection = new BrokerConnection({
      ...options,
      setUp: async (link) => {
        const session = new ConfirmedPublishing(await link.openConfirmChannel(), link, options.families);
        await session.declare();
        this.#session = session;
        return session;
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
    await this.publishAll([message]);
  }

  /**
   * Publishes all of them at once; resolves when the broker has each safe in its queues.
   *
   * @throws PlatformError as `publish`, of the first that failed; the others may have arrived.
   */
  async publishAll(messages: readonly OutgoingMessage[]): Promise<void> {
    const failure = (await this.publishEach(messages)).find((each) => each !== undefined);
    if (failure !== undefined) {
      throw failure;
    }
  }

  /** The same, where one that fails says nothing of the others. @returns what `publish` would throw, in the place of each that failed. */
  async publishEach(messages: readonly OutgoingMessage[]): Promise<readonly (Error | undefined)[]> {
    if (messages.length === 0) {
      return [];
    }
    const started = performance.now();
    const results = new Array<Error | undefined | "open">(messages.length).fill("open");
    const call = { sent: false, expired: false };
    const late = () => {
      call.expired = true;
      const what = call.sent
        ? `was not confirmed within ${this.#timeoutMs} ms; it may have arrived`
        : `could not be sent within ${this.#timeoutMs} ms: no connection, or the broker blocks publishers`;
      const name = messages.map(({ to }) => nameOf(to))[results.indexOf("open")];
      return new CoreError("PUBLISH_TIMEOUT", `A message for "${name}" ${what}.`, {
        hint: "See the broker's alarms: memory, disk.",
      });
    };
    const delivered = this.#deliver(call, messages, (i, failure) => {
      results[i] = failure;
    });
    const published = within(this.#timeoutMs, delivered, late);
    this.#inFlight.add(published);
    const failure = await published.then(
      () => undefined,
      (error: Error) => error,
    );
    this.#inFlight.delete(published);
    const ms = performance.now() - started;
    const refused = results.find((result) => codeOf(result) === "PUBLISH_NACKED");
    if (refused instanceof Error && this.upForMs > RENEW_AFTER_MS) {
      this.#connection.renew(refused);
    }
    return results.map((result, i) => {
      const each = result === "open" ? failure : result;
      const to = (messages[i] as OutgoingMessage).to;
      this.#observe?.(nameOf(to), each === undefined ? "confirmed" : (codeOf(each) ?? "INTERNAL"), ms);
      return each;
    });
  }

  /** Messages ready in one of the queues that were declared. */
  async messagesIn(queue: string): Promise<number> {
    return (await this.lookAt(queue)).messages;
  }

  /** One of the queues that were declared. */
  async lookAt(queue: string): Promise<QueueState> {
    return within(
      this.#timeoutMs,
      this.#connection.up().then((session) => session.lookAt(queue)),
      () => new CoreError("PUBLISH_TIMEOUT", `The broker did not tell how many messages are in "${queue}".`),
    );
  }

  get isUp(): boolean {
    return this.#connection.isUp;
  }

  /** How long the present link has lived; 0 without one. */
  get upForMs(): number {
    return this.#connection.upForMs;
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
    messages: readonly OutgoingMessage[],
    settle: Settle,
  ): Promise<void> {
    if (this.#closed) {
      throw new CoreError("PUBLISH_INTERRUPTED", "The publisher is closed.");
    }
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
        return sendTwice(session, messages, settle);
      }
    }
  }
}

/**
 * Before a queue that is gone is declared again. The consumers that it had hear of its end and declare it themselves within a
 * tenth of that; where it is back within milliseconds RabbitMQ 3.10 may forget to tell them (3 of 19 times), and they wait for good.
 */
const REDECLARE_AFTER_MS = 1_000;

/** What no queue takes is sent once more after all queues were declared: somebody may have deleted one. */
async function sendTwice(
  session: ConfirmedPublishing,
  messages: readonly OutgoingMessage[],
  settle: Settle,
): Promise<void> {
  const returned: { readonly place: number; readonly failure: Error }[] = [];
  await session.sendAll(messages, (place, failure) => {
    if (failure !== undefined && codeOf(failure) === "PUBLISH_UNROUTABLE") {
      returned.push({ place, failure });
    } else {
      settle(place, failure);
    }
  });
  if (returned.length === 0) {
    return;
  }
  await pause(REDECLARE_AFTER_MS);
  try {
    await session.declare();
  } catch {
    // The channel is lost; the next one declares them.
    for (const { place, failure } of returned) {
      settle(place, failure);
    }
    return;
  }
  const again = returned.map(({ place }) => messages[place] as OutgoingMessage);
  await session.sendAll(again, (i, failure) => settle((returned[i] as { place: number }).place, failure));
}
