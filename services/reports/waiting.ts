import type { Publisher } from "../../lib/broker/publisher.js";
import type { Instruments } from "../../lib/observability/registry.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import { pause } from "../../lib/timing.js";
import type { reportsMetrics } from "./metrics.js";
import { REPORTS_QUEUES } from "./queues.js";

const LOOK_EVERY_MS = 1_000;
/** A question that fails ends the channel on which it was asked: a broker that is just coming back is not asked at once. */
const AFTER_FAILURE_MS = 10_000;
/** What was seen longer ago says nothing. */
const BELIEVED_MS = 5_000;

/** How many events wait in our queues: what a report cannot know of by itself. Looks every second, so a report need not ask. */
export class Waiting implements Part {
  readonly name = "look into the queues of reports";
  readonly #publisher: Pick<Publisher, "messagesIn">;
  readonly #metrics: Instruments<typeof reportsMetrics>;
  readonly #stopping = new AbortController();
  #seen = { events: 0, atMs: Number.NEGATIVE_INFINITY };

  constructor(publisher: Pick<Publisher, "messagesIn">, metrics: Instruments<typeof reportsMetrics>) {
    this.#publisher = publisher;
    this.#metrics = metrics;
  }

  /** undefined: the broker has not told lately. */
  get events(): number | undefined {
    return performance.now() - this.#seen.atMs < BELIEVED_MS ? this.#seen.events : undefined;
  }

  async start(): Promise<void> {
    void this.#lookOn();
  }

  /** A question that is under way holds nothing, and may never be answered. */
  async stop(): Promise<void> {
    this.#stopping.abort();
  }

  async #lookOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // Whoever consumes says that the broker is away.
      const waitMs = await this.#look().then(
        () => LOOK_EVERY_MS,
        () => AFTER_FAILURE_MS,
      );
      await pause(waitMs, signal);
    }
  }

  async #look(): Promise<void> {
    const counts = await Promise.all(REPORTS_QUEUES.map(({ work }) => this.#publisher.messagesIn(work)));
    const events = counts.reduce((sum, count) => sum + count, 0);
    this.#seen = { events, atMs: performance.now() };
    this.#metrics.waitingEvents.set(events);
  }
}
