import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { codeOf } from "../../lib/errors.js";
import { transaction } from "../../lib/postgres/pool.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import type { Service } from "../../lib/runtime/service_process.js";
import { pause } from "../../lib/timing.js";
import { changedEvent } from "./events.js";
import { anythingToAnnounce, completeDue, takeUnannounced } from "./store/announcement.js";

/**
 * A busy campaign changes hundreds of times a second, and is announced twice: whoever reads its events wants the newest numbers and
 * not each of them.
 */
const EVERY_MS = 500;
const BATCH = 200;

/**
 * Completes campaigns whose end is past, and announces those whose counts or spend have changed. Any number of processes may do it at
 * once. What people change is announced with the change itself.
 */
export class Announcer implements Part {
  readonly name = "announcer of campaigns";
  readonly #options: Pick<Service, "pool" | "outbox" | "logger">;
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;

  constructor(options: Pick<Service, "pool" | "outbox" | "logger">) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#working ??= this.#workOn();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #workOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const taken = await this.#announce().catch((error: unknown) => {
        this.#options.logger.debug({ code: codeOf(error) }, "campaigns were not announced");
        return 0;
      });
      if (taken < BATCH) {
        await pause(EVERY_MS, signal);
      }
    }
  }

  /** @returns how many of either kind it took, the greater number. */
  async #announce(): Promise<number> {
    if (!(await anythingToAnnounce(this.#options.pool))) {
      return 0;
    }
    return Math.max(await this.#take(completeDue), await this.#take(takeUnannounced));
  }

  async #take(take: typeof completeDue): Promise<number> {
    const { pool, outbox } = this.#options;
    const events = await transaction(pool, async (tx): Promise<OutgoingMessage[]> => {
      const made = (await take(tx, BATCH)).map((campaign) => changedEvent(campaign));
      await outbox.enter(tx, made);
      return made;
    });
    outbox.send(events);
    return events.length;
  }
}
