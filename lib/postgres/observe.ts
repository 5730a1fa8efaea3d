import type { Histogram } from "prom-client";
import { counter, gauge, histogram, type Instruments, seriesOnScrape } from "../observability/registry.js";
import type { Client, Pool } from "./pool.js";

/** What processes tell of their connections to PostgreSQL. */
export const poolMetrics = {
  poolConnections: gauge(
    "payments_pool_connections",
    "Connections to PostgreSQL, in_use or idle; pool: requests (of HTTP), events (one for each consumer) or work",
    "service",
    "pool",
    "state",
  ),
  poolMax: gauge("payments_pool_max_connections", "How many the pool may have", "service", "pool"),
  poolWaiting: gauge("payments_pool_waiting", "Who waits for a connection", "service", "pool"),
  querySeconds: histogram(
    "payments_query_seconds",
    "From sending a statement to the end of its answer, locks that it waited for included",
    // A statement of a service takes milliseconds; a lock has 0.8 s, a statement 5 s.
    { labels: ["service"], buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] },
  ),
};

/** What a process tells of the read replicas that it knows. */
export const replicaMetrics = {
  replicaLag: gauge(
    "payments_replica_lag_seconds",
    "How far behind a read replica is, at most; none while it does not answer",
    "replica",
  ),
  replicaUsed: gauge("payments_replica_used", "1 while reads that may lag go to it", "replica"),
  replicaReads: counter(
    "payments_replica_reads_total",
    "Reads that may lag, by who answered: replica, or primary while no replica was fit",
    "service",
    "by",
  ),
};

/** Has a pool tell how much of it is in use when it is scraped, and how long each statement takes. */
export function observePool(
  pool: Pool,
  metrics: Instruments<typeof poolMetrics>,
  labels: { readonly service: string; readonly pool: "requests" | "events" | "work" },
): void {
  seriesOnScrape(metrics.poolConnections, () => [
    [{ ...labels, state: "in_use" }, pool.totalCount - pool.idleCount],
    [{ ...labels, state: "idle" }, pool.idleCount],
  ]);
  seriesOnScrape(metrics.poolMax, () => [[labels, pool.options.max]]);
  seriesOnScrape(metrics.poolWaiting, () => [[labels, pool.waitingCount]]);
  const seconds = (metrics.querySeconds as Histogram<"service">).labels(labels.service);
  pool.on("connect", (client) => timeQueries(client as Client, (ms) => seconds.observe(ms / 1_000)));
}

/** Of the driver's three ways to ask: with a callback, for a promise, and a stream, which is not measured. */
function timeQueries(client: Client, took: (ms: number) => void): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const timed = (...args: unknown[]) => {
    const startedMs = performance.now();
    const ended = () => took(performance.now() - startedMs);
    const last = args.at(-1);
    if (typeof last === "function") {
      return query(...args.slice(0, -1), (...answer: unknown[]) => {
        ended();
        last(...answer);
      });
    }
    const answer = query(...args);
    if (answer instanceof Promise) {
      answer.then(ended, ended);
    }
    return answer;
  };
  client.query = timed as typeof client.query;
}
