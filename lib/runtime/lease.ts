import type pg from "pg";
import type { Logger } from "../observability/log.js";
import type { messageMetrics } from "../observability/message_metrics.js";
import type { Instruments } from "../observability/registry.js";
import { cutConnections, SilenceWatch } from "../postgres/half_open.js";
import type { Pool } from "../postgres/pool.js";
import { untilDone } from "../retry.js";
import { pause } from "../timing.js";
import type { Part } from "./lifecycle.js";

/** How often a worker says that it is alive, and how long it is believed without. Six beats, so that a busy one is spared. */
const BEAT_MS = 5_000;
export const LEASE_MS = 30_000;

export interface LeaseTimes {
  readonly beatMs: number;
  readonly leaseMs: number;
}

/** The statements of the table in which a module's workers beat. */
export interface LeaseStatements {
  /** Enters the worker, or renews its heartbeat. */
  readonly beat: (workerId: string) => pg.QueryConfig;
  /** Ends the connections of workers silent for longer than `leaseMs`; rows {worker_id, backends}, one a worker. */
  readonly reap: (leaseMs: number) => pg.QueryConfig;
  readonly signOff: (workerId: string) => pg.QueryConfig;
}

export interface LeaseOptions {
  readonly pool: Pool;
  readonly workerId: string;
  readonly statements: LeaseStatements;
  readonly logger: Logger;
  readonly metrics: Pick<
    Instruments<typeof messageMetrics>,
    "heartbeats" | "reapedWorkers" | "reapedBackends"
  >;
  /** Shorter ones are for tests. */
  readonly times?: LeaseTimes | undefined;
}

/**
 * A worker's right to commit. It beats in a table; every worker reaps those that have gone silent, by ending their
 * backends. So the fence is PostgreSQL's own: a worker that was frozen past its lease finds its transactions gone, finds out
 * on its next statement, and does the work again from what the database says.
 *
 * It gives up its own connections in the same way: all of them when no beat gets through for the length of the lease, a single
 * one when it is silent for as long while the others work.
 */
export class Lease implements Part {
  readonly name = "lease";
  readonly #options: LeaseOptions;
  readonly #times: LeaseTimes;
  readonly #watch: SilenceWatch;
  readonly #stopping = new AbortController();
  #beating: Promise<void> | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#times = options.times ?? { beatMs: BEAT_MS, leaseMs: LEASE_MS };
    this.#watch = new SilenceWatch(options.pool, Math.floor(this.#times.leaseMs / this.#times.beatMs));
  }

  /** Resolves after the first beat, however long the database is away, so that nothing is done without a lease. */
  async start(): Promise<void> {
    const { logger } = this.#options;
    await untilDone("the first heartbeat", () => this.#beat(), { logger, signal: this.#stopping.signal });
    this.#beating = this.#keepBeating();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#beating;
    // Without the database there is nobody to sign off from; others will reap the entry.
    const { statements, workerId } = this.#options;
    await this.#ask(statements.signOff(workerId)).catch(() => undefined);
  }

  async #keepBeating(): Promise<void> {
    // The process's own clock, which a change of the wall clock does not move.
    let last = performance.now();
    for (;;) {
      await pause(this.#times.beatMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) {
        return;
      }
      try {
        await this.#beat();
        last = performance.now();
        await this.#reap();
      } catch {
        // Whoever works on the database meets the same error and reports it.
        if (performance.now() - last < this.#times.leaseMs) {
          continue;
        }
        cutConnections(this.#options.pool);
        last = performance.now();
      }
    }
  }

  async #beat(): Promise<void> {
    const { statements, workerId, metrics } = this.#options;
    try {
      await this.#ask(statements.beat(workerId));
      metrics.heartbeats.inc({ result: "ok" });
    } catch (error) {
      metrics.heartbeats.inc({ result: "failed" });
      throw error;
    }
  }

  /** Ends the connections of others that have gone silent, and our own whose other end has. */
  async #reap(): Promise<void> {
    const { statements, metrics, logger } = this.#options;
    const { rows } = await this.#ask(statements.reap(this.#times.leaseMs));
    for (const { worker_id, backends } of rows as { worker_id: string; backends: number }[]) {
      metrics.reapedWorkers.inc();
      metrics.reapedBackends.inc(backends);
      logger.warn({ silent: worker_id, backends }, "ended the connections of a worker that has gone silent");
    }
    const connections = await this.#watch.look((query) => this.#ask(query));
    if (connections > 0) {
      logger.warn({ connections }, "cut connections whose other end has gone silent");
    }
  }

  /** With a limit: on a half-open connection an answer never comes. */
  #ask(query: pg.QueryConfig): Promise<{ rows: unknown[] }> {
    return this.#options.pool.query({ ...query, query_timeout: this.#times.beatMs } as pg.QueryConfig);
  }
}
