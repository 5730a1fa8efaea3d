import type { Logger } from "../../lib/observability/log.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import { pause } from "../../lib/timing.js";
import type { MonitorClient } from "./client.js";
import type { Holds, Snapshot } from "./holds.js";

/** A window that is over waits so long for every process to say what it holds. */
const RENEW_EVERY_MS = 1_000;
/** So long a try that failed waits to see whether the monitor answers others. */
const ANSWER_WITHIN_MS = 3_000;
const LOOK_EVERY_MS = 100;

export interface LifelineOptions {
  /** Names this process to the monitor. */
  readonly holder: string;
  readonly client: MonitorClient;
  readonly holds: Holds;
  readonly logger: Logger;
  /** After so much silence the broker has given to others what this process held. */
  readonly leaseMs: number;
  /** Resolves when all that the broker had sent before is among what is held; rejects when there is no telling. */
  readonly caughtUp: () => Promise<void>;
}

/** Tells the monitor every second what this process holds, and by that knows whether the monitor answers. */
export class Lifeline implements Part {
  readonly name = "lifeline";
  readonly #options: LifelineOptions;
  readonly #stopping = new AbortController();
  #renewing: Promise<void> | undefined;
  /** When the latest request began that was answered, by the monotonic clock. */
  #answeredMs = Number.NEGATIVE_INFINITY;
  #isAway = false;

  constructor(options: LifelineOptions) {
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  async start(): Promise<void> {
    this.#renewing ??= this.#renewOn();
  }

  /** Stops last: what was held has gone back by then. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#renewing;
    if (this.#renewing !== undefined && !this.#isAway) {
      const { client, holder } = this.#options;
      await client.send("PUT", pathOf(holder), { lease_ms: 0, gave_back: true, held: [] });
    }
  }

  /** Notes that the monitor took or refused a request which began then. */
  heard(beganMs: number): void {
    this.#answeredMs = Math.max(this.#answeredMs, beganMs);
  }

  /** Whether the monitor answers somebody, by a request that began after this time. @param halt ends the waiting */
  answersSince(beganMs: number, halt: AbortSignal): Promise<boolean> {
    return this.#answered(beganMs, performance.now() + ANSWER_WITHIN_MS, halt);
  }

  /** Resolves when it does, or when `halt` fires. */
  async untilAnswers(beganMs: number, halt: AbortSignal): Promise<void> {
    await this.#answered(beganMs, Number.POSITIVE_INFINITY, halt);
  }

  /** What is held now, as a request says it. */
  holding(): { readonly body: Snapshot & { readonly lease_ms: number }; readonly arrived: () => void } {
    const { snapshot, arrived } = this.#options.holds.snapshot();
    return { body: { ...snapshot, lease_ms: this.#options.leaseMs }, arrived };
  }

  async #answered(beganMs: number, untilMs: number, halt: AbortSignal): Promise<boolean> {
    while (this.#answeredMs <= beganMs && performance.now() < untilMs && !halt.aborted) {
      await pause(LOOK_EVERY_MS, halt);
    }
    return this.#answeredMs > beganMs;
  }

  async #renewOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#renew().catch(() => undefined); // No link: what was held is the queue's again, and the lease may end.
      await pause(RENEW_EVERY_MS, signal);
    }
  }

  async #renew(): Promise<void> {
    const { client, holder, logger, caughtUp } = this.#options;
    await caughtUp();
    const { body, arrived } = this.holding();
    const beganMs = performance.now();
    const { verdict, result } = await client.send("PUT", pathOf(holder), body);
    if (verdict === "accepted") {
      arrived();
      this.heard(beganMs);
    }
    const isAway = verdict !== "accepted";
    if (isAway !== this.#isAway) {
      logger.warn({ result }, isAway ? "the monitor is away; reports wait" : "the monitor answers; going on");
    }
    this.#isAway = isAway;
  }
}

const pathOf = (holder: string) => `/api/monitor/holders/${encodeURIComponent(holder)}`;
