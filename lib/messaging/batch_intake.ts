import type { Channel, ConsumeMessage } from "amqplib";
import { deliveryCountOf } from "../broker/headers.js";
import { POISON_CANDIDATE_COUNT, SHUFFLE_MS } from "../broker/isolation.js";
import type { Link } from "../broker/link.js";
import { Subscription } from "../broker/subscription.js";
import { messageOf } from "../errors.js";
import { pause } from "../timing.js";

/** How many events are handled at once, and how long the first of them waits for others. */
export interface BatchSize {
  readonly max: number;
  readonly waitMs: number;
}

/** One at the database, and one whose followers are being confirmed. */
export const BATCHES_AT_WORK = 2;

export interface Batch {
  readonly messages: readonly ConsumeMessage[];
  /** Whether all that came before it is in earlier batches: once these are over, the ack of its last message may stand for all. */
  readonly isOrdered: boolean;
}

export interface IntakeOptions {
  readonly link: Link;
  readonly channel: Channel;
  readonly size: BatchSize;
  readonly stopping: AbortSignal;
  /**
   * Throws when the link is to be given up.
   *
   * @param before resolves when all earlier batches have been settled, rejects when one could not be
   */
  readonly settle: (batch: Batch, before: Promise<unknown>) => Promise<void>;
}

/**
 * What one link brings: gathers messages into batches and has them settled in turn. The next one gathers while one is at work, and
 * once it is full it begins beside it.
 *
 * A death costs each message in hand a delivery, also those that wait. So what may be poison is taken as `Isolation` does: in random
 * order, with nothing beside it. It goes with half as many each time it comes again, and in the end alone: not at once, for a link
 * that is lost again and again brings thousands back that are none, and alone they are handled at 200 a second.
 */
export class BatchIntake {
  readonly #options: IntakeOptions;
  readonly #waiting: ConsumeMessage[] = [];
  readonly #work = new Set<Promise<void>>();
  #atWork = 0;
  /** Poison candidates, waiting or at work. Without any, what waits is in the order in which it came. */
  readonly #candidates = new Set<ConsumeMessage>();
  /** All batches so far. */
  #before: Promise<unknown> = Promise.resolve();
  #subscription: Subscription | undefined;
  #clock: NodeJS.Timeout | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  async start(queue: string, lookEveryMs: number | undefined): Promise<void> {
    const { link, channel } = this.#options;
    this.#subscription = new Subscription(link, channel, {
      queue,
      onMessage: (message) => this.#take(message),
      isIdle: () => this.#waiting.length === 0 && this.#work.size === 0,
      lookEveryMs,
    });
    await this.#subscription.start();
  }

  async stop(drainMs: number): Promise<void> {
    await this.#subscription?.cancel().catch(() => undefined); // On a lost link there is nothing to cancel.
    clearTimeout(this.#clock);
    const waited = new AbortController();
    const drained = Promise.all(this.#work).then(() => waited.abort());
    await Promise.race([drained, pause(drainMs, waited.signal)]);
  }

  #take(message: ConsumeMessage): void {
    const { max, waitMs } = this.#options.size;
    if (largestBatchWith(message, max) === max) {
      this.#waiting.push(message);
    } else {
      this.#candidates.add(message);
      this.#waiting.splice(Math.floor(Math.random() * (this.#waiting.length + 1)), 0, message);
    }
    if (this.#mayBegin) {
      this.#begin();
    } else if (this.#atWork === 0) {
      // All candidates that a new link brings are put into one order.
      this.#clock ??= setTimeout(
        () => this.#begin(),
        this.#isOrdered ? waitMs : Math.max(waitMs, SHUFFLE_MS),
      );
    }
  }

  get #isOrdered(): boolean {
    return this.#candidates.size === 0;
  }

  /** Beside another batch only a full one, or batches would be small and cost more when there is most to do. */
  get #mayBegin(): boolean {
    return this.#atWork < BATCHES_AT_WORK && this.#mayRunBeside;
  }

  get #mayRunBeside(): boolean {
    return this.#isOrdered && this.#waiting.length >= this.#options.size.max;
  }

  #begin(): void {
    clearTimeout(this.#clock);
    this.#clock = undefined;
    const { link } = this.#options;
    const work = this.#workOff()
      .catch((error: unknown) => link.drop(new Error(`could not settle a batch: ${messageOf(error)}`)))
      .finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  async #workOff(): Promise<void> {
    const { link, stopping, settle } = this.#options;
    this.#atWork += 1;
    try {
      while (this.#waiting.length > 0 && !stopping.aborted && !link.over.aborted) {
        const before = this.#before;
        const batch = this.#next();
        const settled = settle(batch, before);
        const all = Promise.all([before, settled]);
        all.catch(() => undefined); // Met below, and by the next batch if there is one.
        this.#before = all;
        await settled;
        if (!batch.isOrdered) {
          for (const message of batch.messages) {
            this.#candidates.delete(message);
          }
        }
        if (this.#atWork > 1 && !this.#mayRunBeside) {
          return; // The other one goes on with what comes.
        }
      }
    } finally {
      this.#atWork -= 1;
    }
  }

  /** As many as may go together with each of them; at least one. */
  #next(): Batch {
    const { max } = this.#options.size;
    if (this.#isOrdered) {
      return { messages: this.#waiting.splice(0, max), isOrdered: true };
    }
    let size = 0;
    let most = max;
    for (const message of this.#waiting) {
      most = Math.min(most, largestBatchWith(message, max));
      if (size >= most) {
        break;
      }
      size += 1;
    }
    return { messages: this.#waiting.splice(0, size), isOrdered: false };
  }
}

/** How many messages may be in a batch with this one. */
function largestBatchWith({ properties }: ConsumeMessage, max: number): number {
  const halvings = Math.max(0, deliveryCountOf(properties.headers ?? {}) - POISON_CANDIDATE_COUNT + 1);
  return Math.max(1, max >> halvings);
}
