import { adviceOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { fullJitterMs, orAborted, pause } from "../timing.js";

export type Server = "PostgreSQL" | "RabbitMQ";

/** Which server an outage's code tells of. What goes wrong with RabbitMQ has a name of ours; all else is the driver's. */
export function serverAway(code: string): Server {
  return /^(RABBITMQ|PUBLISH)_|^NOT_RABBITMQ$/.test(code) ? "RabbitMQ" : "PostgreSQL";
}

/** First probe within a quarter of a second, later ones within two: a process has one at a time. */
const BACKOFF = { baseMs: 250, capMs: 2_000 };

export interface BreakerOptions {
  readonly server: Server;
  /** Rejects while the server is away. */
  readonly probe: () => Promise<unknown>;
  /** Why it is waited for and what to do, for the log. Default: what the error says. */
  readonly reasonOf?: (error: unknown) => string;
  readonly logger: Logger;
  /** Ends all waiting. */
  readonly stopping: AbortSignal;
  readonly pause?: typeof pause;
}

/**
 * A circuit breaker for a server that all of a process's work needs. Whoever meets an outage waits on it; one probe at a
 * time asks whether the server is back (half-open), with back-off and jitter, and when it answers all go on.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #recovery: Promise<void> | undefined;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get open(): boolean {
    return this.#recovery !== undefined;
  }

  reasonOf(error: unknown): string {
    return (this.#options.reasonOf ?? adviceOf)(error);
  }

  /** Resolves when the server answers again, or waiting is over; a caller that gives a signal stops waiting with it. */
  async recovered(signal?: AbortSignal): Promise<void> {
    this.#recovery ??= this.#recover().finally(() => {
      this.#recovery = undefined;
    });
    await (signal === undefined ? this.#recovery : orAborted(this.#recovery, signal));
  }

  async #recover(): Promise<void> {
    const { server, probe, logger, stopping, pause: wait = pause } = this.#options;
    const since = performance.now();
    for (let attempt = 0; !stopping.aborted; attempt++) {
      await wait(fullJitterMs(attempt, BACKOFF), stopping);
      try {
        await probe();
        return logger.info({ awayMs: Math.round(performance.now() - since) }, `${server} answers; going on`);
      } catch {
        // Still away.
      }
    }
  }
}
