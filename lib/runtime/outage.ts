import type { Logger } from "../observability/log.js";
import { aborted, fullJitterMs, pause } from "../timing.js";

/** First probe within a quarter of a second, later ones within ten. */
const BACKOFF = { baseMs: 250, capMs: 10_000 };

/**
 * A circuit breaker for a server that all of a process's work needs. Whoever meets an outage waits on it; one probe at a
 * time asks whether the server is back (half-open), with back-off and jitter, and when it answers all go on.
 */
export class Breaker {
  private readonly server: string;
  private readonly probe: () => Promise<unknown>;
  private readonly logger: Logger;
  private readonly signal: AbortSignal;
  private recovery: Promise<void> | undefined;

  /** @param server its name, for the log. @param probe rejects while it is away. @param signal ends all waiting. */
  constructor(server: string, probe: () => Promise<unknown>, logger: Logger, signal: AbortSignal) {
    this.server = server;
    this.probe = probe;
    this.logger = logger;
    this.signal = signal;
  }

  get open(): boolean {
    return this.recovery !== undefined;
  }

  /** Resolves when the server answers again, or waiting is over; for whoever gives a signal of his own, with that. */
  async recovered(patience?: AbortSignal): Promise<void> {
    this.recovery ??= this.recover().finally(() => {
      this.recovery = undefined;
    });
    await (patience === undefined ? this.recovery : Promise.race([this.recovery, aborted(patience)]));
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
      this.logger.info({ awayMs: Math.round(performance.now() - since) }, `${this.server} answers; going on`);
      return;
    }
  }
}
