import { MODULES } from "../app/modules.js";
import { graph, type PanelSpec, rate, stat } from "../lib/observability/panels.js";
import type { ModulePanels } from "../lib/observability/service_panels.js";
import type { DashboardSpec } from "./panels.js";

/** A row of each module that shows something there, under the platform's own. */
function rowsOf(
  of: keyof ModulePanels,
  first: Readonly<Record<string, readonly PanelSpec[]>>,
): DashboardSpec["rows"] {
  const own = MODULES.map(({ name, service, panels }) => [
    of === "business" ? name : service,
    panels?.()[of],
  ]);
  return { ...first, ...Object.fromEntries(own.filter(([, panels]) => (panels?.length ?? 0) > 0)) };
}

const ALL = 'job="services"';
const requests = "sum(rate(payments_http_requests_total[$__rate_interval]))";

export const servicesHealth: DashboardSpec = {
  uid: "services-health",
  title: "Services - Health",
  description: "Rate, errors and duration of each service; CPU and memory of their processes.",
  rows: rowsOf("health", {
    "At a glance": [
      stat("Processes", "short", "That answer Prometheus. None: see ServicesMissing.", `sum(up{${ALL}})`),
      stat("Requests a second", "ops", "Of all services, whatever their answer was.", requests),
      stat(
        "Failed requests",
        "percentunit",
        "Share of 5xx. Above 1 %: see ServiceErrorsHigh.",
        `(sum(rate(payments_http_requests_total{status=~"5.."}[$__rate_interval])) or vector(0)) / clamp_min(${requests}, 1e-9)`,
        { thresholds: [0.005, 0.01] },
      ),
      stat(
        "Duration of requests, 95 %",
        "s",
        "Of all endpoints. Above 0.5 s: see ServiceSlow, which looks at each.",
        "histogram_quantile(0.95, sum by (le) (rate(payments_http_request_seconds_bucket[$__rate_interval])))",
        { thresholds: [0.25, 0.5] },
      ),
      stat(
        "Cut off",
        "short",
        "Processes whose breaker for PostgreSQL is open or that have no RabbitMQ. See ServiceCutOff.",
        `sum(max by (instance) (payments_breaker_open{${ALL}})) + sum(1 - min by (instance) (payments_broker_up{${ALL}}))`,
        { thresholds: [1, 1] },
      ),
      stat(
        "Audit",
        "short",
        "Differences that the latest payments audit found. Anything but 0: see AuditDifference.",
        "max(payments_audit_differences)",
        { thresholds: [1, 1] },
      ),
    ],
    Processes: [
      graph(
        "CPU",
        "percentunit",
        "Of one core, by process: its event loop has no more. Above 70 %: see ServiceCpuHigh.",
        {
          "{{instance}}": `rate(process_cpu_seconds_total{${ALL}}[$__rate_interval])`,
        },
      ),
      graph(
        "Memory",
        "bytes",
        "Resident, and what the process may use: its container's limit, else the goal of 500 MB. Above 80 %: see ServiceMemoryHigh.",
        {
          "{{instance}}": `process_resident_memory_bytes{${ALL}}`,
          "{{instance}} may use": `payments_memory_limit_bytes{${ALL}}`,
        },
      ),
      graph("Event loop lag, 99 %", "s", "How late a process gets to its work.", {
        "{{instance}}": `max by (instance) (nodejs_eventloop_lag_p99_seconds{${ALL}})`,
      }),
      graph(
        "In flight and shed",
        "short",
        "Requests being served; a second refused before their body was read, because there was too much to do.",
        {
          "in flight {{instance}}": "sum by (instance) (payments_http_in_flight)",
          "shed {{reason}}": rate("payments_http_shed_total", "reason"),
        },
      ),
    ],
  }),
};

export const servicesBroker: DashboardSpec = {
  uid: "services-broker",
  title: "Services - Broker",
  description: "Events of the services: what waits for each, how fast they take it, what fails.",
  rows: rowsOf("broker", {
    "At a glance": [
      stat(
        "Longest queue",
        "short",
        "Events that wait in it. Above 1,000: see ServiceQueueLag.",
        "max(payments:service_queue_ready:sum)",
        { width: 6, thresholds: [500, 1000] },
      ),
      stat("Events a second", "mps", "Taken and settled by all services.", rate("payments_events_total"), {
        width: 6,
      }),
      stat(
        "Dead letters",
        "short",
        "Of the services; payments dlq list --queue shows them. See DeadLetters.",
        'sum(payments:dead_letters:sum{queue!="etl_queue.dlq"})',
        { width: 6, thresholds: [1, 100] },
      ),
      stat(
        "Oldest event in an outbox",
        "s",
        "Committed and not yet published. Above a minute: see OutboxStuck.",
        "max(payments_outbox_oldest_age_seconds)",
        { width: 6, thresholds: [10, 60] },
      ),
    ],
    "All services": [
      graph("Published by result", "mps", "confirmed, or why not.", {
        "{{result}}": `sum by (result) (rate(payments_publishes_total{${ALL}}[$__rate_interval]))`,
      }),
      graph("Confirms, 95 %", "s", "From publishing an event to the broker's word that it is safe.", {
        "95 %": `histogram_quantile(0.95, sum by (le) (rate(payments_publish_confirm_seconds_bucket{${ALL}}[$__rate_interval])))`,
      }),
    ],
  }),
};

export const servicesDatabase: DashboardSpec = {
  uid: "services-database",
  title: "Services - Database",
  description:
    "Connections, statements and outboxes of each service. The server's own view: Payments - Postgres Overview.",
  rows: rowsOf("database", {
    "At a glance": [
      stat(
        "Connections",
        "percentunit",
        "Share of max_connections in use by everybody. Above 80 %: see PostgresConnectionsHigh.",
        "max(payments:postgres_connections:ratio)",
        { width: 6, thresholds: [0.6, 0.8] },
      ),
      stat(
        "Fullest pool",
        "percentunit",
        "Of those that requests share. Above 80 %: see ServicePoolHigh.",
        "max(payments:pool_usage:ratio)",
        { width: 6, thresholds: [0.6, 0.8] },
      ),
      stat(
        "Statements a second",
        "ops",
        "Of all services.",
        'sum(rate(payments_query_seconds_count{service!="payments-worker"}[$__rate_interval]))',
        { width: 6 },
      ),
      stat(
        "Longest statement",
        "s",
        "Under way now in any service; after 5 s the server ends it.",
        "max(payments_sessions_longest_statement_seconds)",
        { width: 6, thresholds: [1, 5] },
      ),
    ],
  }),
};

export const servicesBusiness: DashboardSpec = {
  uid: "services-business",
  title: "Services - Business",
  description:
    "Payments as they are made: how many, how many are approved, how many look like fraud, how much money.",
  rows: rowsOf("business", {}),
};
