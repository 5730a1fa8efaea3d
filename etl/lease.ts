import type { Logger } from "../lib/log.js";
import { Metrics } from "../lib/metrics.js";
import type { Pool } from "../lib/postgres/pool.js";
import { loadSql } from "../lib/postgres/sql.js";
import { verdictOf } from "../lib/retry.js";
import { pause } from "../lib/timing.js";

/** How often a worker says that it is alive, and how long it is believed without. Six beats, so that a busy one is spared. */
const BEAT_MS = 5_000;
const LEASE_MS = 30_000;

export interface LeaseTimes {
  readonly beatMs: number;
  readonly leaseMs: number;
}

/**
 * A worker's right to commit. It beats in etl.worker; every worker reaps those that have gone silent, by ending their
 * backends. So the fence is PostgreSQL's own: a worker that was frozen past its lease finds its transactions gone, finds out
 * on its next statement, and runs the step again from what the ledger says.
 */
export class Lease {
  private readonly pool: Pool;
  private readonly workerId: string;
  private readonly logger: Logger;
  private readonly times: LeaseTimes;
  private readonly onExpired: () => void;
  private readonly metrics: Metrics;
  private readonly stopping = new AbortController();
  private beating: Promise<void> | undefined;

  /** @param onExpired called when no beat got through for the length of the lease: connections may be half-open. */
  constructor(
    pool: Pool,
    workerId: string,
    logger: Logger,
    onExpired: () => void,
    times: LeaseTimes = { beatMs: BEAT_MS, leaseMs: LEASE_MS },
    metrics = new Metrics(),
  ) {
    this.pool = pool;
    this.workerId = workerId;
    this.logger = logger;
    this.onExpired = onExpired;
    this.metrics = metrics;
    this.times = times;
  }

  /** Resolves after the first beat, however long the database is away, so that nothing is done without a lease. */
  async start(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.beat();
        break;
      } catch (error) {
        if (verdictOf(error) !== "outage") throw error;
        await pause(this.times.beatMs, this.stopping.signal);
      }
    }
    this.beating = this.keepBeating();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.beating;
    // Without the database there is nobody to sign off from; others will reap the entry.
    await this.ask("DELETE FROM etl.worker WHERE worker_id = $1", [this.workerId]).catch(() => undefined);
  }

  private async keepBeating(): Promise<void> {
    // The process's own clock, which a change of the wall clock does not move.
    let last = performance.now();
    for (;;) {
      await pause(this.times.beatMs, this.stopping.signal);
      if (this.stopping.signal.aborted) return;
      try {
        await this.beat();
        last = performance.now();
        await this.reap();
      } catch {
        // Whoever works on the database meets the same error and reports it.
        if (performance.now() - last < this.times.leaseMs) continue;
        this.onExpired();
        last = performance.now();
      }
    }
  }

  private async beat(): Promise<void> {
    await this.ask(
      `INSERT INTO etl.worker (worker_id) VALUES ($1)
       ON CONFLICT (worker_id) DO UPDATE SET heartbeat_at = clock_timestamp(), reaped_at = NULL`,
      [this.workerId],
    ).catch((error: unknown) => {
      this.metrics.heartbeats.inc({ result: "failed" });
      throw error;
    });
    this.metrics.heartbeats.inc({ result: "ok" });
  }

  private async reap(): Promise<void> {
    const { rows } = await this.ask(loadSql("reap_workers"), [this.times.leaseMs]);
    for (const { worker_id, backends } of rows as { worker_id: string; backends: number }[]) {
      this.metrics.reapedWorkers.inc();
      this.metrics.reapedBackends.inc(backends);
      this.logger.warn(
        { silent: worker_id, backends },
        "ended the connections of a worker that has gone silent",
      );
    }
  }

  /** With a limit: on a half-open connection an answer never comes. */
  private ask(text: string, values: unknown[]): Promise<{ rows: unknown[] }> {
    return this.pool.query({ text, values, query_timeout: this.times.beatMs } as {
      text: string;
      values: unknown[];
    });
  }
}
