import type { Settled } from "../broker/delivery.js";
import { poolMetrics, replicaMetrics } from "../postgres/observe.js";
import { webhookMetrics } from "../webhook/metrics.js";
import { counter, gauge, histogram, type Instruments } from "./registry.js";

/** What the runtime counts of messages and of its servers, whatever the messages are. */
export const messageMetrics = {
  slots: gauge("payments_worker_slots", "Messages that may be worked on at a time"),
  retried: counter(
    "payments_messages_retried_total",
    "Messages sent to the retry ladder, by whose they are and by error code",
    "service",
    "code",
  ),
  deadLettered: counter(
    "payments_messages_dead_lettered_total",
    "Messages sent to the dead letters by their consumer, by whose they are and by error code",
    "service",
    "code",
  ),
  events: counter(
    "payments_events_total",
    "Events of the services that were taken from their queues and settled",
    "service",
    "event",
  ),
  eventBatchSize: histogram("payments_event_batch_size", "Events that were handled at once", {
    labels: ["service", "event"],
    // 200 is the most; what comes alone pays for a transaction of its own.
    buckets: [1, 2, 5, 10, 20, 50, 100, 199, 200],
  }),
  eventBatchSeconds: histogram(
    "payments_event_batch_seconds",
    "From taking a batch of events to their acks, which is after their commit and their followers' confirms",
    // 200 debits take some 10 ms, 500 some 50; the statement limit is 5 s.
    {
      labels: ["service", "event"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
    },
  ),
  outageWaits: counter(
    "payments_outage_waits_total",
    "Steps that began to wait for a server that is away or out of room, by error code",
    "code",
  ),
  breakerOpen: gauge("payments_breaker_open", "1 while work waits for PostgreSQL"),
  ...poolMetrics,
  ...replicaMetrics,
  publishes: counter(
    "payments_publishes_total",
    "Messages published, by what came of it: confirmed, or the error's code",
    "queue",
    "result",
  ),
  confirmSeconds: histogram(
    "payments_publish_confirm_seconds",
    "From publishing a message to the broker's confirm",
    // A quorum queue confirms after its fsync: milliseconds; 10 s is the publisher's limit.
    { buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 10] },
  ),
  ...webhookMetrics,
  brokerUp: gauge(
    "payments_broker_up",
    "1 while connected to RabbitMQ both for publishing and for consuming",
  ),
  heartbeats: counter(
    "payments_heartbeats_total",
    "Signs of life written to the ledger: ok or failed",
    "result",
  ),
  reapedWorkers: counter("payments_reaped_workers_total", "Silent workers whose connections this one ended"),
  reapedBackends: counter(
    "payments_reaped_backends_total",
    "Connections of silent workers that this one ended",
  ),
};

/** Turns an error code into a label with few values. */
export type CodeLabel = (code: string) => string;

/** @param own codes that modules define: those stay as they are; SQLSTATEs go by class (about 40), sockets' are NETWORK, else OTHER. */
export function codeLabelOf(own: Iterable<string>): CodeLabel {
  const known = new Set(own);
  return (code) => {
    if (known.has(code)) {
      return code;
    }
    if (/^[0-9A-Z]{5}$/.test(code)) {
      return `SQLSTATE_${code.slice(0, 2)}`;
    }
    return /^E[A-Z_]{3,20}$/.test(code) ? "NETWORK" : "OTHER";
  };
}

/** Counts messages that failed, by what became of them. */
export function countSettlement(
  messages: Instruments<typeof messageMetrics>,
  service: string,
  codeLabel: CodeLabel,
  { outcome, deadLettered }: Pick<Settled, "outcome" | "deadLettered">,
): void {
  if (outcome.kind === "retry" || outcome.kind === "reject") {
    const metric = deadLettered ? messages.deadLettered : messages.retried;
    metric.inc({ service, code: codeLabel(outcome.code) });
  }
}
