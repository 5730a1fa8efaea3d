import type { Logger } from "../../lib/observability/log.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import { pause } from "../../lib/timing.js";
import type { Attempt, MonitorClient } from "./client.js";
import type { Holds } from "./holds.js";

/** A window that is over waits so long for every process to say what it holds. */
const RENEW_EVERY_MS = 1_000;
/** The failure in a row at which it is said. Not the first: a monitor in this process refuses renewals as soon as the process drains. */
const TOLD_AT = 2;
/** So long a try that failed waits to see whether the monitor answers others. */
const ANSWER_WITHIN_MS = 3_000;
/** Who waits for an answer hears of it, and looks by itself too. */
const LOOK_EVERY_MS = 10_000;

export interface LifelineOptions {
  /** Names this process to the monitor. */
  readonly holder: string;
  readonly client: Pick<MonitorClient, "send">;
  readonly holds: Holds;
  readonly logger: Logger;
  /** Once it has fired, a monitor that is away is nothing to tell: the one of this process has ended first. */
  readonly stopping: AbortSignal;
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
  /** Renewals in a row that failed. */
  #failures = 0;
  /** Fires at the next answer. */
  #answer = new AbortController();
  /** Ends the pause between two renewals. */
  #nap = new AbortController();
  /** The time by the monitor's clock when the latest answer was given: what is held is looked at after that. */
  #asOf: string | null = null;

  constructor(options: LifelineOptions) {
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#failures > 0;
  }

  async start(): Promise<void> {
    this.#renewing ??= this.#renewOn();
  }

  /** Stops last: what was held has gone back by then. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#renewing;
    if (this.#renewing !== undefined && !this.isAway) {
      const { client, holder } = this.#options;
      const ended = { lease_ms: 0, as_of: this.#asOf, gave_back: true, held: [] };
      await client.send("PUT", pathOf(holder), ended);
    }
  }

  /** Notes that the monitor took or refused a request which began then. */
  heard(beganMs: number): void {
    if (beganMs > this.#answeredMs) {
      this.#answeredMs = beganMs;
      this.#answer.abort();
      this.#answer = new AbortController();
    }
  }

  /** Notes the monitor's time, where an answer has it. */
  noteTime({ verdict, text }: Attempt): void {
    if (verdict !== "accepted") {
      return;
    }
    try {
      this.#asOf = (JSON.parse(text) as { as_of?: string }).as_of ?? this.#asOf;
    } catch {
      // Somebody else answers at this address; what is known stays.
    }
  }

  /** Somebody waits for what is held to be said. */
  renewNow(): void {
    this.#nap.abort();
  }

  /** Whether the monitor answers somebody, by a request that began after this time. @param halt ends the waiting */
  answersSince(beganMs: number, halt: AbortSignal): Promise<boolean> {
    return this.#answered(beganMs, performance.now() + ANSWER_WITHIN_MS, halt);
  }

  /** Resolves when it does, or when `halt` fires. */
  async untilAnswers(beganMs: number, halt: AbortSignal): Promise<void> {
    await this.#answered(beganMs, Number.POSITIVE_INFINITY, halt);
  }

  async #answered(beganMs: number, untilMs: number, halt: AbortSignal): Promise<boolean> {
    while (this.#answeredMs <= beganMs && performance.now() < untilMs && !halt.aborted) {
      const waitMs = Math.min(LOOK_EVERY_MS, untilMs - performance.now());
      await pause(waitMs, AbortSignal.any([halt, this.#answer.signal]));
    }
    return this.#answeredMs > beganMs;
  }

  async #renewOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#nap = new AbortController();
      await this.#renew().catch(() => undefined); // No link: what was held is the queue's again, and the lease may end.
      await pause(RENEW_EVERY_MS, AbortSignal.any([signal, this.#nap.signal]));
    }
  }

  async #renew(): Promise<void> {
    const { client, holder, holds, leaseMs, caughtUp } = this.#options;
    const asOf = this.#asOf;
    await caughtUp();
    const { snapshot, arrived } = holds.snapshot();
    const beganMs = performance.now();
    const attempt = await client.send("PUT", pathOf(holder), { ...snapshot, lease_ms: leaseMs, as_of: asOf });
    const { verdict, result } = attempt;
    if (verdict === "accepted") {
      arrived();
      this.noteTime(attempt);
      this.heard(beganMs);
    }
    this.#note(verdict === "accepted" ? 0 : this.#failures + 1, result);
  }

  #note(failures: number, result: string): void {
    const { logger, stopping } = this.#options;
    if (failures === TOLD_AT && !stopping.aborted) {
      logger.warn({ result }, "the monitor is away; reports wait");
    } else if (failures === 0 && this.#failures >= TOLD_AT) {
      logger.warn({ result }, "the monitor answers; going on");
    }
    this.#failures = failures;
  }
}

const pathOf = (holder: string) => `/api/monitor/holders/${encodeURIComponent(holder)}`;
