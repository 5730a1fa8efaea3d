import type { Channel, ConsumeMessage } from "amqplib";
import type { Outcome } from "../broker/delivery.js";
import { pause } from "../timing.js";
import type { SettledPart } from "./handle_batch.js";

/** For so long a batch that is done waits for those before it, so that one ack can stand for all of its messages. */
const BEFORE_MS = 100;

/** A message that failed. */
export interface Failure {
  readonly message: ConsumeMessage;
  readonly outcome: Exclude<Outcome, { kind: "done" }>;
}

export interface BatchSettlementOptions {
  readonly messages: readonly ConsumeMessage[];
  readonly channel: Channel;
  /** When it fires there is nothing more to settle: the broker has the messages back. */
  readonly over: AbortSignal;
  /** Copies them to where they belong and acks the originals. */
  readonly forward: (failures: readonly Failure[]) => Promise<void>;
}

/**
 * A batch's way from outcomes to acks. One that is done as a whole is acked by its last message. Of any other each part is settled as
 * soon as it is known: the search for a message that fails the others takes a hundred transactions, and a link that ends meanwhile
 * must not bring all of the batch back.
 */
export class BatchSettlement {
  readonly #options: BatchSettlementOptions;
  readonly #isSettled: Uint8Array;
  #left: number;
  #isDoneAsWhole = false;
  #failures: Failure[] = [];
  #forwarding: Promise<void> | undefined;

  constructor(options: BatchSettlementOptions) {
    this.#options = options;
    this.#left = options.messages.length;
    this.#isSettled = new Uint8Array(this.#left);
  }

  /** @throws Error when a message is settled twice, which would close the channel. */
  settle(part: SettledPart): void {
    const { messages, channel, over } = this.#options;
    for (const { place } of part) {
      if (this.#isSettled[place] !== 0) {
        throw new Error(`message ${place} of ${messages.length} was settled before, or is none of the batch`);
      }
      this.#isSettled[place] = 1;
    }
    this.#left -= part.length;
    if (over.aborted) {
      return;
    }
    if (part.length === messages.length && part.every(({ outcome }) => outcome.kind === "done")) {
      this.#isDoneAsWhole = true;
      return;
    }
    for (const { place, outcome } of part) {
      const message = messages[place] as ConsumeMessage;
      if (outcome.kind === "done") {
        channel.ack(message);
      } else {
        this.#failures.push({ message, outcome });
      }
    }
    if (this.#failures.length > 0 && this.#forwarding === undefined) {
      this.#forwarding = this.#forward();
      this.#forwarding.catch(() => undefined); // Met at the end.
    }
  }

  /** One call at a time: what fails meanwhile goes with the next. */
  async #forward(): Promise<void> {
    while (this.#failures.length > 0) {
      const failures = this.#failures;
      this.#failures = [];
      await this.#options.forward(failures);
    }
    this.#forwarding = undefined;
  }

  /**
   * Resolves when all is acked.
   *
   * @param before resolves when all that the channel brought earlier is settled: without it no ack may stand for others
   * @throws Error when a message was left out: an ack of a later batch would lose it.
   */
  async end(before: Promise<unknown> | undefined): Promise<void> {
    const { messages, channel, over } = this.#options;
    await this.#forwarding;
    if (this.#left > 0) {
      throw new Error(`${this.#left} of ${messages.length} messages were not settled`);
    }
    const last = messages.at(-1);
    if (!this.#isDoneAsWhole || last === undefined) {
      return;
    }
    const isFirst = before !== undefined && (await soon(before));
    if (over.aborted) {
      return;
    }
    if (isFirst) {
      channel.ack(last, true);
    } else {
      for (const message of messages) {
        channel.ack(message);
      }
    }
  }
}

async function soon(before: Promise<unknown>): Promise<boolean> {
  const known = new AbortController();
  const late = pause(BEFORE_MS, known.signal).then(() => false);
  return Promise.race([before.then(() => true), late]).finally(() => known.abort());
}
