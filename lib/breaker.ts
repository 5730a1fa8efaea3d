import type { Logger } from "./log.js";
import { fullJitterMs, pause } from "./timing.js";

/** First probe within a quarter of a second, later ones within ten. */
const BACKOFF = { baseMs: 250, capMs: 10_000 };

/**
 * A circuit breaker for a server that all of a process's work needs. Whoever meets an outage waits on it; one probe at a
 * time asks whether the server is back (half-open), with back-off and jitter, and when it answers all go on.
 */
export class Breaker {
  private readonly probe: () => Promise<unknown>;
  private readonly logger: Logger;
  private readonly signal: AbortSignal;
  private recovery: Promise<void> | undefined;

  /** @param probe rejects while the server is away. @param signal ends all waiting. */
  constructor(probe: () => Promise<unknown>, logger: Logger, signal: AbortSignal) {
    this.probe = probe;
    this.logger = logger;
    this.signal = signal;
  }

  get open(): boolean {
    return this.recovery !== undefined;
  }

  /** Resolves when the server answers again, or waiting is over. */
  recovered(): Promise<void> {
    this.recovery ??= this.recover().finally(() => {
      this.recovery = undefined;
    });
    return this.recovery;
  }

  private async recover(): Promise<void> {
    const since = performance.now();
    for (let attempt = 0; !this.signal.aborted; attempt++) {
      await pause(fullJitterMs(attempt, BACKOFF), this.signal);
      const answered = await this.probe().then(
        () => true,
        () => false,
      );
      if (!answered) continue;
      this.logger.info({ awayMs: Math.round(performance.now() - since) }, "PostgreSQL answers; going on");
      return;
    }
  }
}
