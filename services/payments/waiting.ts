import type { Pool } from "../../lib/postgres/pool.js";
import { type Deferred, deferred, pause } from "../../lib/timing.js";
import { findSettled } from "./store/payment.js";

const LOOK_EVERY_MS = 50;

/** Whoever waits for a payment to be decided. All are looked after by one query, which runs only while somebody waits. */
export class Waiting {
  readonly #pool: Pool;
  readonly #waiting = new Map<string, { readonly settled: Deferred<void>; waiters: number }>();
  #looking = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Resolves when the payment is decided, after `ms`, or soon after `ending` fires, which is one for all who wait. */
  async settled(paymentId: string, ms: number, ending: AbortSignal): Promise<void> {
    const entry = this.#waiting.get(paymentId) ?? { settled: deferred<void>(), waiters: 0 };
    this.#waiting.set(paymentId, entry);
    entry.waiters += 1;
    if (!this.#looking) {
      this.#looking = true;
      void this.#look(ending);
    }
    const over = new AbortController();
    await Promise.race([entry.settled.promise, pause(ms, over.signal)]);
    over.abort();
    entry.waiters -= 1;
    if (entry.waiters === 0 && this.#waiting.get(paymentId) === entry) {
      this.#waiting.delete(paymentId);
    }
  }

  async #look(ending: AbortSignal): Promise<void> {
    while (this.#waiting.size > 0) {
      await pause(LOOK_EVERY_MS);
      const all = [...this.#waiting.keys()];
      const answered = ending.aborted ? all : await findSettled(this.#pool, all).catch(() => []);
      for (const id of answered) {
        this.#waiting.get(id)?.settled.resolve();
        this.#waiting.delete(id);
      }
    }
    this.#looking = false;
  }
}
