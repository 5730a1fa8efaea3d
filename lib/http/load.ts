import { CoreError } from "../core_errors.js";
import { deferred } from "../timing.js";

/** Requests that wait for a connection to the database; a module tells how many of its own do. */
export type PoolQueue = () => number;

export interface LoadLimits {
  readonly maxInFlight: number;
  readonly maxPoolQueue: number;
}

/** Why a request was not taken. */
export type ShedReason = "in_flight" | "pool" | "bytes" | "ending";

/** Of bodies that may be larger than an event: four batches of the largest size. The process is meant to stay below 500 MB. */
const MAX_BODY_BYTES = 64 * 1_024 * 1_024;

/** Made once: a stack trace costs more than the request that is refused. */
const REFUSALS: Readonly<Record<ShedReason, CoreError>> = {
  in_flight: new CoreError("OVERLOADED", "Too many requests are in flight here. Try again later."),
  pool: new CoreError("OVERLOADED", "Too many requests wait for the database here. Try again later."),
  bytes: new CoreError("OVERLOADED", "Too many large bodies are in flight here. Try again later."),
  ending: new CoreError("OVERLOADED", "This process is ending. Try again."),
};

/**
 * How much there is to do. What cannot be served soon is refused before its body is read: a queue that grows makes all wait,
 * and nobody is served in time.
 */
export class Load {
  readonly #limits: LoadLimits;
  #inFlight = 0;
  #bodyBytes = 0;
  #idle: ReturnType<typeof deferred<void>> | undefined;

  constructor(limits: LoadLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Counts a request in, also one that is refused: it too has to be answered.
   *
   * @param bodyBytes of a body that may be large
   * @returns why it is refused.
   */
  enter(poolQueue?: PoolQueue, bodyBytes = 0): ShedReason | undefined {
    this.#inFlight += 1;
    this.#bodyBytes += bodyBytes;
    if (this.#idle !== undefined) {
      return "ending";
    }
    if (this.#inFlight > this.#limits.maxInFlight) {
      return "in_flight";
    }
    // One alone is let in, whatever its size, and what takes small ones only is no part of it.
    if (bodyBytes > 0 && this.#bodyBytes > Math.max(MAX_BODY_BYTES, bodyBytes)) {
      return "bytes";
    }
    return poolQueue !== undefined && poolQueue() > this.#limits.maxPoolQueue ? "pool" : undefined;
  }

  leave(bodyBytes = 0): void {
    this.#inFlight -= 1;
    this.#bodyBytes -= bodyBytes;
    if (this.#inFlight === 0) {
      this.#idle?.resolve();
    }
  }

  /** Refuses what comes. Resolves when nothing is in flight. */
  async drain(): Promise<void> {
    this.#idle ??= deferred<void>();
    if (this.#inFlight > 0) {
      await this.#idle.promise;
    }
  }

  static refusal(reason: ShedReason): CoreError {
    return REFUSALS[reason];
  }
}
