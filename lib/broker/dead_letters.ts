import type { Channel, ConsumeMessage } from "amqplib";
import { CoreError } from "../core_errors.js";
import { codeOf, messageOf, type PlatformError } from "../errors.js";
import { deferred, pause } from "../timing.js";
import { BrokerConnection, type ConnectionTarget } from "./connection.js";
import { type DeadLetter, readDeadLetter } from "./dead_letter.js";
import { byTag, HeldMessages } from "./held_messages.js";
import type { Link } from "./link.js";
import { declareFamily, type QueueFamily } from "./topology.js";

/** A window holds at most this many letters, and fewer when they are large: bodies of about this many bytes. */
const WINDOW_LETTERS = 500;
const WINDOW_BYTES = 8 * 1_024 * 1_024;
/** Nothing is known of their size yet. */
const FIRST_WINDOW_LETTERS = 16;
/** Somebody else took the letters that are still expected. */
const STALL_MS = 5_000;
/** A look of the console has the queue in hand for some 100 ms, and no action is to fail for it. */
const BUSY_MS = 3_000;
const BUSY_PAUSE_MS = 100;
/** Letters that a command before held are back within milliseconds. */
const BACK_MS = 50;

type OpenOptions = Omit<ConnectionTarget, "connectPolicy"> & { readonly family: QueueFamily };

interface Session {
  readonly link: Link;
  readonly channel: Channel;
  readonly held: HeldMessages;
}

/**
 * One pass through a dead-letter queue, oldest letter first, in windows. A letter leaves the queue only by `remove`.
 *
 * The pass holds every letter it has seen unacked until it ends: only so does the broker send the next one. The broker
 * keeps the bodies; this process keeps one window of them. `close` returns the letters that were not removed, in their order;
 * the broker does it when the process dies. (RabbitMQ 3.10 puts them behind letters that the pass has not seen, if the
 * queue has no delivery limit.) The pass ends after as many letters as the queue held at its start.
 */
export class DeadLetters {
  readonly #connection: BrokerConnection<Session>;
  readonly #session: Session;
  readonly #queue: string;
  /** Letters ready at the start. */
  readonly total: number;
  #windows = 0;
  readonly #removed = new Set<DeadLetter>();

  private constructor(connection: BrokerConnection<Session>, session: Session, queue: string, total: number) {
    this.#connection = connection;
    this.#session = session;
    this.#queue = queue;
    this.total = total;
  }

  /**
   * @throws PlatformError RABBITMQ_*, QUEUE_MISMATCH; DEAD_LETTERS_BUSY after three seconds: a letter that another pass holds would look
   * lost
   */
  static async open(options: OpenOptions): Promise<DeadLetters> {
    for (const untilMs = performance.now() + BUSY_MS; ; ) {
      try {
        return await DeadLetters.#open(options);
      } catch (error) {
        if (codeOf(error) !== "DEAD_LETTERS_BUSY" || performance.now() > untilMs) {
          throw error;
        }
        await pause(BUSY_PAUSE_MS);
      }
    }
  }

  static async #open(options: OpenOptions): Promise<DeadLetters> {
    const queue = options.family.deadLetter;
    const connection = new BrokerConnection<Session>({
      ...options,
      connectPolicy: "once",
      setUp: async (link) => {
        const channel = await link.openChannel();
        await declareFamily(channel, options.family);
        await lock(channel, queue);
        return { link, channel, held: new HeldMessages(channel, queue) };
      },
    });
    try {
      const session = await connection.up();
      return new DeadLetters(connection, session, queue, await settledCount(session.channel, queue));
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** @throws PlatformError RABBITMQ_UNREACHABLE when the connection goes away. */
  async *windows(): AsyncGenerator<readonly DeadLetter[], void, undefined> {
    let size = FIRST_WINDOW_LETTERS;
    for (let left = this.total; left > 0; ) {
      const wanted = Math.min(size, left);
      const letters = await this.#fill(wanted);
      try {
        if (letters.length > 0) {
          yield letters;
        }
      } finally {
        for (const { deliveryTag } of letters.filter((letter) => !this.#removed.has(letter))) {
          this.#session.held.add(deliveryTag);
        }
        this.#removed.clear();
      }
      if (letters.length < wanted) {
        return;
      }
      left -= letters.length;
      const largest = Math.max(1, ...letters.map((letter) => letter.body.length));
      size = Math.max(1, Math.min(WINDOW_LETTERS, Math.floor(WINDOW_BYTES / largest)));
    }
  }

  /** Takes letters of the present window out of the queue for good. @throws PlatformError RABBITMQ_UNREACHABLE */
  remove(letters: readonly DeadLetter[]): void {
    if (this.#session.link.over.aborted) {
      throw lost("the connection is gone");
    }
    for (const letter of letters) {
      this.#session.channel.ack(byTag(letter.deliveryTag));
      this.#removed.add(letter);
    }
  }

  /** Gives back what was not removed. */
  async close(): Promise<void> {
    if (!this.#session.link.over.aborted) {
      // They come back in any case: with the connection, if not in order.
      await this.#session.held.giveBack().catch(() => undefined);
    }
    await this.#connection.close();
  }

  /** A consumer of its own for each window: what it is allowed is what it gets, and acks bring no more. */
  async #fill(wanted: number): Promise<DeadLetter[]> {
    const { link, channel } = this.#session;
    const letters: DeadLetter[] = [];
    const full = deferred<void>();
    let lastAt = Date.now();
    const onMessage = (message: ConsumeMessage | null) => {
      if (message === null) {
        return link.drop(new Error(`the broker cancelled the reader of ${this.#queue}`));
      }
      lastAt = Date.now();
      letters.push(readDeadLetter(message));
      if (letters.length === wanted) {
        full.resolve();
      }
    };
    // A listener that can be taken off: what waits on a promise that outlives it would keep the window's bodies alive.
    const onOver = () => full.reject(new Error("the broker ended it"));
    link.over.addEventListener("abort", onOver);
    const watch = setInterval(() => {
      if (Date.now() - lastAt > STALL_MS) {
        full.resolve();
      }
    }, 500);
    try {
      link.over.throwIfAborted();
      // What comes back is put back consumer by consumer, in the order of their names.
      this.#windows += 1;
      const consumerTag = `window-${String(this.#windows).padStart(9, "0")}`;
      await channel.prefetch(wanted);
      await channel.consume(this.#queue, onMessage, { consumerTag });
      await full.promise;
      await channel.cancel(consumerTag);
      return [...letters];
    } catch (error) {
      throw lost(messageOf(error));
    } finally {
      clearInterval(watch);
      link.over.removeEventListener("abort", onOver);
    }
  }
}

/** An exclusive queue exists once and goes with its connection: a lock that no dead process can keep. */
async function lock(channel: Channel, queue: string): Promise<void> {
  try {
    await channel.assertQueue(`${queue}.lock`, { exclusive: true, autoDelete: true, durable: false });
  } catch (cause) {
    if (codeOf(cause) !== "405") {
      throw cause;
    }
    const hint = "Wait until it is done.";
    throw new CoreError("DEAD_LETTERS_BUSY", `Another command is reading ${queue}.`, { hint, cause });
  }
}

/** Ready letters, once two looks agree: letters that a command before held may still be on their way back. */
async function settledCount(channel: Channel, queue: string): Promise<number> {
  for (let last = -1; ; await pause(BACK_MS)) {
    const { messageCount } = await channel.checkQueue(queue);
    if (messageCount === last) {
      return messageCount;
    }
    last = messageCount;
  }
}

function lost(why: string): PlatformError {
  return new CoreError("RABBITMQ_UNREACHABLE", `The connection was lost among the dead letters: ${why}.`, {
    hint: "Those not dealt with are still in the queue; run it again.",
  });
}
