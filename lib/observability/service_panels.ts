import type { QueueFamily } from "../broker/topology.js";
import { graph, orNone, type PanelSpec } from "./panels.js";

/** What a module shows, by the dashboard of the services that it is shown on. */
export interface ModulePanels {
  readonly health?: readonly PanelSpec[];
  readonly broker?: readonly PanelSpec[];
  readonly database?: readonly PanelSpec[];
  readonly business?: readonly PanelSpec[];
}

/** What a service has, of what all services may have. */
export interface Shown {
  /** In labels, e.g. `wallet-service`. */
  readonly service: string;
  readonly http?: boolean;
  readonly queues?: readonly QueueFamily[];
  /** Of its tables. */
  readonly schema?: string;
  /** What only it can tell. */
  readonly business?: readonly PanelSpec[];
}

/** The panels that every service has, and its own. */
export function servicePanels({
  service,
  http = false,
  queues = [],
  schema,
  business = [],
}: Shown): ModulePanels {
  const events = queues.length > 0;
  return {
    health: [...(http ? httpPanels(service) : []), ...(events ? eventPanels(service) : [])],
    broker: events ? brokerPanels(service, queues) : [],
    database: schema === undefined ? [] : databasePanels(service, schema),
    business,
  };
}

const per = (metric: string, labels: string, by: string) =>
  `sum by (${by}) (rate(${metric}{${labels}}[$__rate_interval]))`;
const quantile = (share: number, metric: string, labels: string, by: string) =>
  `histogram_quantile(${share}, ${per(`${metric}_bucket`, labels, `le, ${by}`)})`;
const orZero = (expr: string) => `(${expr} or vector(0))`;

function httpPanels(service: string): PanelSpec[] {
  const own = `service="${service}"`;
  const all = `clamp_min(sum(rate(payments_http_requests_total{${own}}[$__rate_interval])), 1e-9)`;
  const share = (status: string) =>
    `${orZero(`sum(rate(payments_http_requests_total{${own},status=~"${status}"}[$__rate_interval]))`)} / ${all}`;
  return [
    graph(`${service}: requests a second`, "ops", "By endpoint, whatever their answer was.", {
      "{{method}} {{route}}": per("payments_http_requests_total", own, "method, route"),
    }),
    graph(
      `${service}: refused and failed`,
      "percentunit",
      "Share of all requests. failed (5xx) is ours, above 1 %: see ServiceErrorsHigh; refused (4xx) is the caller's.",
      { failed: share("5.."), refused: share("4..") },
      { max: 1 },
    ),
    graph(
      `${service}: duration of requests, 95 %`,
      "s",
      "By endpoint, less what callers asked to wait. Above 0.5 s: see ServiceSlow.",
      { "{{route}}": quantile(0.95, "payments_http_request_seconds", own, "route") },
    ),
  ];
}

function eventPanels(service: string): PanelSpec[] {
  const own = `service="${service}"`;
  return [
    graph(
      `${service}: duration of batches, 95 %`,
      "s",
      "From taking events to their acks, commit and followers' confirms included.",
      { "{{event}}": quantile(0.95, "payments_event_batch_seconds", own, "event") },
    ),
  ];
}

function brokerPanels(service: string, queues: readonly QueueFamily[]): PanelSpec[] {
  const own = `service="${service}"`;
  const names = queues.map(({ work }) => work).join("|");
  const deadLetters = [...new Set(queues.map(({ deadLetter }) => deadLetter))].join("|");
  return [
    graph(`${service}: events that wait`, "short", "By queue. Above 1,000: see ServiceQueueLag.", {
      "{{queue}}": `sum by (queue) (rabbitmq_detailed_queue_messages_ready{queue=~"${names}"})`,
    }),
    graph(`${service}: events a second`, "mps", "Taken from its queues and settled.", {
      "{{event}}": per("payments_events_total", own, "event"),
    }),
    graph(
      `${service}: events a batch`,
      "short",
      "Handled at once, 200 at most: the deeper the queue, the more.",
      {
        "{{event}}": `${per("payments_event_batch_size_sum", own, "event")} / ${per("payments_event_batch_size_count", own, "event")}`,
      },
    ),
    graph(
      `${service}: failed events`,
      "mps",
      "Retried and dead-lettered by code, and the dead letters that there are. See DeadLetters.",
      {
        "retried {{code}}": orNone(per("payments_messages_retried_total", own, "code"), "code"),
        "dead-lettered {{code}}": orNone(per("payments_messages_dead_lettered_total", own, "code"), "code"),
        "letters in {{queue}}": `sum by (queue) (payments:dead_letters:sum{queue=~"${deadLetters}"})`,
      },
    ),
  ];
}

function databasePanels(service: string, schema: string): PanelSpec[] {
  const own = `service="${service}"`;
  const below = (seconds: string) =>
    `sum(rate(payments_query_seconds_bucket{${own},le="${seconds}"}[$__rate_interval]))`;
  return [
    graph(
      `${service}: connections`,
      "short",
      "In use by pool, how many there may be, and who waits for one. Above 80 %: see ServicePoolHigh.",
      {
        "{{pool}} in use": `sum by (pool) (payments_pool_connections{${own},state="in_use"})`,
        "{{pool}} at most": `sum by (pool) (payments_pool_max_connections{${own}})`,
        "{{pool}} waiting": `sum by (pool) (payments_pool_waiting{${own}})`,
        "as PostgreSQL sees them": `sum(payments_sessions_connections{${own}})`,
      },
    ),
    graph(
      `${service}: duration of statements`,
      "s",
      "As the service sees it, locks that it waited for included.",
      {
        "95 %": `histogram_quantile(0.95, sum by (le) (rate(payments_query_seconds_bucket{${own}}[$__rate_interval])))`,
        mean: `sum(rate(payments_query_seconds_sum{${own}}[$__rate_interval])) / sum(rate(payments_query_seconds_count{${own}}[$__rate_interval]))`,
        "longest under way": `max(payments_sessions_longest_statement_seconds{${own}})`,
      },
    ),
    graph(
      `${service}: slow statements`,
      "ops",
      "A second, beside all. Which ones: pg_stat_statements, in the database postgres.",
      {
        all: `sum(rate(payments_query_seconds_count{${own}}[$__rate_interval]))`,
        "over 100 ms": `sum(rate(payments_query_seconds_count{${own}}[$__rate_interval])) - ${below("0.1")}`,
        "over 500 ms": `sum(rate(payments_query_seconds_count{${own}}[$__rate_interval])) - ${below("0.5")}`,
      },
    ),
    graph(
      `${service}: outbox`,
      "short",
      "Events that are committed and wait to be published, and seconds since the oldest. Above a minute: see OutboxStuck.",
      {
        events: `sum(payments_outbox_waiting_events{schema="${schema}"})`,
        "age of the oldest": `max(payments_outbox_oldest_age_seconds{schema="${schema}"})`,
      },
    ),
  ];
}
