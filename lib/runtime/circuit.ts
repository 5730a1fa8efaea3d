import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
} from "cockatiel";
import { CoreError } from "../core_errors.js";
import { within } from "../timing.js";

export interface CircuitOptions {
  /** Whom it calls, for errors. */
  readonly name: string;
  /** So many in a row open it. Default: 5. */
  readonly failures?: number;
  /** A call that takes longer has failed. Default: 30 s. */
  readonly callMs?: number;
  /** Then one call tries whether it is back. Default: 60 s. */
  readonly openMs?: number;
}

/** While somebody tries whether it is back. */
const PROBING_MS = 100;

/** A circuit breaker for calls to others. What a call throws counts as a failure; what it was refused, it returns. */
export class Circuit {
  readonly #name: string;
  readonly #callMs: number;
  readonly #openMs: number;
  readonly #breaker: CircuitBreakerPolicy;
  #openedAtMs = 0;

  constructor({ name, failures = 5, callMs = 30_000, openMs = 60_000 }: CircuitOptions) {
    this.#name = name;
    this.#callMs = callMs;
    this.#openMs = openMs;
    this.#breaker = circuitBreaker(handleAll, {
      halfOpenAfter: openMs,
      breaker: new ConsecutiveBreaker(failures),
    });
    this.#breaker.onBreak(() => {
      this.#openedAtMs = Date.now();
    });
  }

  get isOpen(): boolean {
    return this.#breaker.state !== CircuitState.Closed;
  }

  /** How long no call goes out, in milliseconds; 0: the next one does. */
  get waitMs(): number {
    switch (this.#breaker.state) {
      case CircuitState.Closed:
        return 0;
      case CircuitState.HalfOpen:
        return PROBING_MS;
      default:
        return Math.max(0, this.#openedAtMs + this.#openMs - Date.now());
    }
  }

  /** @throws CoreError UNAVAILABLE while it is open, or what the call throws. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    try {
      // Not by the package's own timeout, which adds a listener to a signal that all calls share.
      return await this.#breaker.execute(() => within(this.#callMs, work(), () => new Error("no answer")));
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) {
        throw error;
      }
      throw new CoreError("UNAVAILABLE", `${this.#name} failed and is left alone for a while.`, {
        cause: error,
      });
    }
  }
}
