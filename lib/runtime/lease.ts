import type pg from "pg";
import { codeOf, messageOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { Metrics } from "../observability/metrics.js";
import { cutConnections, SilenceWatch } from "../postgres/half_open.js";
import type { Pool } from "../postgres/pool.js";
import { loadSql } from "../postgres/sql.js";
import { waitingMends } from "../retry.js";
import { pause } from "../timing.js";

/** How often a worker says that it is alive, and how long it is believed without. Six beats, so that a busy one is spared. */
const BEAT_MS = 5_000;
export const LEASE_MS = 30_000;

export interface LeaseTimes {
  readonly beatMs: number;
  readonly leaseMs: number;
}

/**
 * A worker's right to commit. It beats in etl.worker; every worker reaps those that have gone silent, by ending their
 * backends. So the fence is PostgreSQL's own: a worker that was frozen past its lease finds its transactions gone, finds out
 * on its next statement, and runs the step again from what the ledger says.
 *
 * It gives up its own connections in the same way: all of them when no beat gets through for the length of the lease, a single
 * one when it is silent for as long while the others work.
 */
export class Lease {
  private readonly pool: Pool;
  private readonly workerId: string;
  private readonly logger: Logger;
  private readonly times: LeaseTimes;
  private readonly metrics: Metrics;
  private readonly watch: SilenceWatch;
  private readonly stopping = new AbortController();
  private beating: Promise<void> | undefined;

  constructor(
    pool: Pool,
    workerId: string,
    logger: Logger,
    times: LeaseTimes = { beatMs: BEAT_MS, leaseMs: LEASE_MS },
    metrics = new Metrics(),
  ) {
    this.pool = pool;
    this.workerId = workerId;
    this.logger = logger;
    this.metrics = metrics;
    this.times = times;
    this.watch = new SilenceWatch(pool, Math.floor(times.leaseMs / times.beatMs));
  }

  /** Resolves after the first beat, however long the database is away, so that nothing is done without a lease. */
  async start(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.beat();
        break;
      } catch (error) {
        if (!waitingMends(error)) throw error;
        this.logger.warn({ code: codeOf(error) }, `waiting for the first heartbeat: ${messageOf(error)}`);
        await pause(this.times.beatMs, this.stopping.signal);
      }
    }
    this.beating = this.keepBeating();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.beating;
    // Without the database there is nobody to sign off from; others will reap the entry.
    const signOff = { text: "DELETE FROM etl.worker WHERE worker_id = $1", values: [this.workerId] };
    await this.ask(signOff).catch(() => undefined);
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
        await this.watchOwn();
      } catch {
        // Whoever works on the database meets the same error and reports it.
        if (performance.now() - last < this.times.leaseMs) continue;
        cutConnections(this.pool);
        last = performance.now();
      }
    }
  }

  private async beat(): Promise<void> {
    await this.ask({
      text: `INSERT INTO etl.worker (worker_id) VALUES ($1)
             ON CONFLICT (worker_id) DO UPDATE SET heartbeat_at = clock_timestamp(), reaped_at = NULL`,
      values: [this.workerId],
    }).catch((error: unknown) => {
      this.metrics.heartbeats.inc({ result: "failed" });
      throw error;
    });
    this.metrics.heartbeats.inc({ result: "ok" });
  }

  private async reap(): Promise<void> {
    const { rows } = await this.ask({ text: loadSql("reap_workers"), values: [this.times.leaseMs] });
    for (const { worker_id, backends } of rows as { worker_id: string; backends: number }[]) {
      this.metrics.reapedWorkers.inc();
      this.metrics.reapedBackends.inc(backends);
      this.logger.warn(
        { silent: worker_id, backends },
        "ended the connections of a worker that has gone silent",
      );
    }
  }

  private async watchOwn(): Promise<void> {
    const connections = await this.watch.look((query) => this.ask(query));
    if (connections > 0) this.logger.warn({ connections }, "cut connections whose other end has gone silent");
  }

  /** With a limit: on a half-open connection an answer never comes. */
  private ask(query: pg.QueryConfig): Promise<{ rows: unknown[] }> {
    return this.pool.query({ ...query, query_timeout: this.times.beatMs } as pg.QueryConfig);
  }
}
