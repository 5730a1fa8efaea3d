import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { ERROR_CODES } from "../errors.js";
import { stderrLines } from "../process/stderr.js";

/**
 * Every metric that a process of ours serves. Counters count since the process began; what must survive it (progress of runs,
 * totals, backups) is in the database, and prometheus/postgres_exporter.yml reads it there. docs/metrics.md lists both.
 *
 * Labels are bounded: steps, outcomes, queues and reasons are lists of the code, error codes go through `codeLabel`.
 */
export class Metrics {
  readonly registry = new Registry();

  readonly rowsGenerated = this.counter(
    "payments_rows_generated_total",
    "Rows made by the generator, also those of a chunk that was rolled back",
  );
  readonly rowsStaged = this.counter("payments_rows_staged_total", "Rows that stage has committed");
  readonly rowsAccepted = this.counter("payments_rows_accepted_total", "Rows that clean has accepted");
  readonly rowsRepaired = this.counter("payments_rows_repaired_total", "Accepted rows that were repaired");
  readonly rowsRejected = this.counter(
    "payments_rows_rejected_total",
    "Rows moved into txn_reject",
    "reason",
  );
  readonly copyBytes = this.counter("payments_copy_bytes_total", "Bytes sent by COPY and committed");

  readonly stepSeconds = new Histogram({
    registers: [this.registry],
    name: "payments_step_duration_seconds",
    help: "From taking a message to its outcome, waiting for a server that is away included",
    labelNames: ["step", "outcome"] as const,
    // A chunk of the default size takes one to two seconds, indexing a large month a minute.
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120],
  });
  readonly inFlight = this.gauge("payments_messages_in_flight", "Messages being worked on", "step");
  readonly slots = this.gauge("payments_worker_slots", "Messages that may be worked on at a time");
  readonly retried = this.counter(
    "payments_messages_retried_total",
    "Messages sent to the retry ladder, by error code",
    "code",
  );
  readonly deadLettered = this.counter(
    "payments_messages_dead_lettered_total",
    "Messages sent to the dead-letter queue by a worker, by error code",
    "code",
  );
  readonly outageWaits = this.counter(
    "payments_outage_waits_total",
    "Steps that began to wait for a server that is away or out of room, by error code",
    "code",
  );
  readonly breakerOpen = this.gauge("payments_breaker_open", "1 while work waits for PostgreSQL");

  readonly publishes = this.counter(
    "payments_publishes_total",
    "Messages published, by what came of it: confirmed, or the error's code",
    "queue",
    "result",
  );
  readonly confirmSeconds = new Histogram({
    registers: [this.registry],
    name: "payments_publish_confirm_seconds",
    help: "From publishing a message to the broker's confirm",
    // A quorum queue confirms after its fsync: milliseconds; 10 s is the publisher's limit.
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 10],
  });
  readonly brokerUp = this.gauge(
    "payments_broker_up",
    "1 while connected to RabbitMQ both for publishing and for consuming",
  );

  readonly heartbeats = this.counter(
    "payments_heartbeats_total",
    "Signs of life written to the ledger: ok or failed",
    "result",
  );
  readonly reapedWorkers = this.counter(
    "payments_reaped_workers_total",
    "Silent workers whose connections this one ended",
  );
  readonly reapedBackends = this.counter(
    "payments_reaped_backends_total",
    "Connections of silent workers that this one ended",
  );

  readonly logLinesLost = this.counter(
    "payments_log_lines_lost_total",
    "Log lines that could not be written: a full disk, a reader that has gone",
  );

  /** @param build shown as payments_build_info; @param process adds memory, CPU and event loop of the process. */
  constructor(build?: { version: string }, options: { process?: boolean } = {}) {
    if (options.process === true) collectDefaultMetrics({ register: this.registry });
    this.logLinesLost.inc(0);
    Metrics.onScrape(this.logLinesLost, () => stderrLines.lost);
    for (const result of ["ok", "failed"]) this.heartbeats.inc({ result }, 0);
    // An alert looks at the increase: a series that begins with its first event has none.
    this.outageWaits.inc({ code: "SQLSTATE_53" }, 0);
    if (build === undefined) return;
    const info = this.gauge("payments_build_info", "1; what runs, in labels", "version", "node");
    info.set({ version: build.version, node: process.versions.node }, 1);
  }

  /** Has a metric ask for its value when it is scraped. */
  static onScrape(metric: Gauge | Counter, read: () => number): void {
    // prom-client calls it before each scrape; the type keeps it for the constructor, where nothing can be read yet.
    (metric as unknown as { collect: () => void }).collect = () => {
      metric.reset();
      metric.inc(read());
    };
  }

  private counter<L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> {
    return new Counter({ registers: [this.registry], name, help, labelNames });
  }

  private gauge<L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> {
    return new Gauge({ registers: [this.registry], name, help, labelNames });
  }
}

const KNOWN_CODES: ReadonlySet<string> = new Set(ERROR_CODES);

/** An error code as a label: ours as they are, SQLSTATEs by class (about 40 of them), sockets' as NETWORK, else OTHER. */
export function codeLabel(code: string): string {
  if (KNOWN_CODES.has(code)) return code;
  if (/^[0-9A-Z]{5}$/.test(code)) return `SQLSTATE_${code.slice(0, 2)}`;
  return /^E[A-Z_]{3,20}$/.test(code) ? "NETWORK" : "OTHER";
}
