import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DASHBOARDS } from "../grafana/generate.js";
import { Publisher } from "../lib/broker/publisher.js";
import { EVENTS_EXCHANGE } from "../lib/broker/topology.js";
import { newId } from "../lib/domain/ids.js";
import { eventMessage } from "../lib/messaging/event.js";
import { silentLogger } from "../lib/observability/log.js";
import { COLLECTOR_QUEUES } from "../services/collector/queues.js";
import {
  campaignsEvtActivated,
  campaignsEvtCreated,
  campaignsEvtUpdated,
} from "../services/contracts/campaigns_evt.js";
import { campaignsSpendDecided } from "../services/contracts/campaigns_spend_decided.js";
import { collectorEvtClick } from "../services/contracts/collector_evt.js";
import {
  paymentsEvtCompleted,
  paymentsEvtFailed,
  paymentsEvtPending,
  paymentsEvtReturned,
} from "../services/contracts/payments_evt.js";
import { payoutsPayoutRequested } from "../services/contracts/payouts_payout_requested.js";
import { REPORTS_QUEUE, reportMessage } from "../services/contracts/report.js";
import { onChannel } from "./harness/broker.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { webhook } from "./harness/fake_gateway.js";
import { documentedMetrics, exporterMetrics } from "./harness/monitoring.js";
import { Monitored } from "./harness/prometheus.js";
import { campaign, ended, pago } from "./harness/reports.js";

let monitored: Monitored;
let publisher: Publisher;
let sinceLoad: number;

beforeAll(async () => {
  monitored = await Monitored.start();
  await monitored.backupTables();
  publisher = new Publisher({
    address: monitored.settings,
    name: "test",
    logger: silentLogger,
    connectPolicy: "once",
    families: COLLECTOR_QUEUES,
  });
  await publisher.up();
  const began = Date.now();
  await monitored.load(300_000);
  // The exporters are asked every second, PostgreSQL's every four; the broker renews its figures every five.
  const until = Date.now() + 10_000;
  for (let n = 0; Date.now() < until; n++) {
    await traffic(n);
    await partners(n);
    await providers(n);
  }
  sinceLoad = Math.ceil((Date.now() - began) / 1_000);
});
afterAll(async () => {
  await publisher?.close();
  await monitored?.close();
});

/** Events of a partner, and what campaigns says of one of them. */
async function partners(n: number): Promise<void> {
  const event_id = `panels-${process.pid}-${n}`;
  const data = { campaign_id: newId(), id_afiliado: "ana", spend: "2.00", commission: "0.50", moneda: "EUR" };
  const { campaign_id, spend } = data;
  const event = { source: "panels", occurred_at: new Date().toISOString() };
  const click = { ...event, event_id: `${event_id}-click`, type: "click", data: { campaign_id } };
  const told = await monitored.request("POST", "/event-collector/events", [
    { ...event, event_id, type: "conversion", data },
    ...[click, click, { ...click, data: {} }],
  ]);
  expect(told.status).toBe(202);
  expect((await monitored.request("GET", `/event-collector/events/panels/${event_id}`)).status).toBe(200);
  const decided = { source: "panels", event_id, campaign_id, spend, outcome: "spent" } as const;
  await publisher.publishAll([eventMessage(campaignsSpendDecided, decided, { messageId: newId() })]);
}

/** Events of a provider: one that is understood, one that is not. */
async function providers(n: number): Promise<void> {
  const object = {
    id: `ch_panels_${n}`,
    object: "charge",
    amount: 4_299,
    currency: "usd",
    status: "succeeded",
  };
  const created = Math.floor(Date.now() / 1_000);
  const events = [{ raw_event: { ...object, created } }, { raw_event: { panels: n } }];
  expect((await monitored.request("POST", "/api/v1/events/batch", events)).status).toBe(201);
}

/** A campaign, and a click on it as the collector tells of one. */
async function campaignWithClick(): Promise<void> {
  const order = { name: "panels", budget: "10.00", currency: "USD" };
  const { status, body } = await monitored.request("POST", "/campaigns", order);
  expect(status).toBe(201);
  const seen = {
    source: "panels",
    event_id: newId(),
    campaign_id: (body as { id: string }).id,
    occurred_at: new Date().toISOString(),
  };
  const click = eventMessage(collectorEvtClick, seen, { messageId: newId() });
  await onChannel(monitored.settings, async (channel) => {
    channel.publish(EVENTS_EXCHANGE, collectorEvtClick.name, click.body, click.properties);
    // An answer on the same channel: the broker has it.
    await channel.checkExchange(EVENTS_EXCHANGE);
  });
}

/** Ten payments, of which one is fraud and one more than its wallet holds, and what people do to wallets. */
async function traffic(n: number): Promise<void> {
  const pay = (i: number) =>
    monitored.request("POST", "/payments", {
      amount: i === 0 ? "20000.00" : "10.00",
      currency: "USD",
      method: "credit_card",
      customer_id: i === 1 ? "customer-1001" : `customer-${1 + i}`,
    });
  const paid = await Promise.all(Array.from({ length: 10 }, (_, i) => pay(i)));
  expect(paid.map(({ status }) => status)).toEqual(Array(10).fill(201));
  const [first] = paid as { body: { id: string } }[];
  for (const path of ["", "?wait_s=1", "/timeline"]) {
    expect((await monitored.request("GET", `/payments/${first?.body.id}${path}`)).status).toBe(200);
  }
  await campaignWithClick();
  const user = { user_id: `panels-${process.pid}-${n}`, currency: "EUR" };
  const opened = await monitored.request("POST", "/wallets", user);
  const { id } = opened.body as { id: string };
  const credit = { amount: "5.00", reference: `r-${n}` };
  expect((await monitored.request("POST", `/wallets/${id}/credit`, credit)).status).toBe(201);
  expect((await monitored.request("POST", "/wallets", user)).status).toBe(409);
  await payOut(`r-${process.pid}-${n}`);
}

/** A Pago that is paid, one that waits, and one that is asked for by an event. */
async function payOut(reference: string): Promise<void> {
  const [paid] = await Promise.all(
    ["a", "b"].map(async (name) => {
      const asked = { monto: "5.00", moneda: "EUR", id_afiliado: name, referencia_pago: reference };
      const { status, body } = await monitored.request("POST", "/pagos", asked);
      expect(status).toBe(202);
      return (body as { id_pago: string }).id_pago;
    }),
  );
  const requested = { monto: "5.00", moneda: "COP", id_afiliado: "c", referencia_pago: reference } as const;
  const { body: bytes, properties } = eventMessage(payoutsPayoutRequested, requested, { messageId: newId() });
  await onChannel(monitored.settings, async (channel) => {
    channel.publish(EVENTS_EXCHANGE, payoutsPayoutRequested.name, bytes, properties);
    await channel.close(); // It is answered after all that was written before.
  });
  const payout = await eventually("taken", () => monitored.gateway.of(paid as string)[0]);
  const { body, headers } = webhook({ ...payout, status: "paid" });
  expect((await monitored.request("POST", "/pagos/webhooks/stripe", body, headers)).status).toBe(200);
  await reported();
  await watched();
}

/** What payouts and campaigns tell of, and somebody who reads it. */
async function reported(): Promise<void> {
  const [paid, failed, spring] = [pago(), pago(), campaign()];
  const end = ended(paid, "EXITOSO");
  await monitored.publish(paymentsEvtPending, paid, failed);
  await monitored.publish(paymentsEvtCompleted, end);
  await monitored.publish(paymentsEvtFailed, ended(failed, "FALLIDO"));
  await monitored.publish(paymentsEvtReturned, { ...end, version: 4 });
  await monitored.publish(campaignsEvtCreated, spring);
  await monitored.publish(campaignsEvtActivated, { ...spring, state: "ACTIVE" as const, version: 2 });
  await monitored.publish(campaignsEvtUpdated, { ...spring, clicks: 1, version: 3 });
  for (const path of ["payments", "version", "health"]) {
    expect((await monitored.request("GET", `/api/reports/${path}`)).status).toBe(200);
  }
}

/** A report of a monitoring window. */
async function watched(): Promise<void> {
  const now = new Date().toISOString();
  const { body, properties } = reportMessage({
    ...{ window_uuid: newId(), service: "payments-a", seq: 1, status: "ok", interval_ms: 1_000 },
    ...{ expected_reports: 1, remaining_ms: 0, report_timestamp: now, window_from: now, window_to: now },
  });
  await onChannel(monitored.settings, async (channel) => {
    channel.sendToQueue(REPORTS_QUEUE, body, properties);
    await channel.close(); // It is answered after all that was written before.
  });
}

it("every target is up", async () => {
  const { activeTargets } = (await monitored.ask("targets?state=active")) as {
    activeTargets: { labels: { job: string }; health: string; lastError: string }[];
  };
  expect(
    activeTargets.map(({ labels, health, lastError }) => [labels.job, health, lastError]).sort(),
  ).toEqual(
    ["alertmanager", "postgres", "prometheus", "rabbitmq", "rabbitmq-queues", "services", "worker"].map(
      (job) => [job, "up", ""],
    ),
  );
});

it("no query of the exporter fails", async () => {
  const errors = await monitored.range(
    "pg_exporter_last_scrape_error + pg_exporter_user_queries_load_error",
    5,
  );
  for (const { values } of errors) {
    expect(values.at(-1)?.[1]).toBe("0");
  }
});

it("every documented metric is served", async () => {
  const metadata = (await monitored.ask("metadata")) as Record<string, unknown>;
  const names = (await monitored.ask("label/__name__/values")) as string[];
  const served = new Set([...Object.keys(metadata), ...names]);
  // PostgreSQL 17 has moved them from one view to another; a server has one of the two.
  const views = [/^pg_stat_bgwriter_checkpoints_/, /^pg_stat_checkpointer_/];
  const missing = [...documentedMetrics().keys()].filter((name) => !served.has(name));
  expect(missing.filter((name) => !views.some((view) => view.test(name)))).toEqual([]);
  expect(views.filter((view) => missing.some((name) => view.test(name)))).toHaveLength(1);
  expect(exporterMetrics().filter((name) => !served.has(name))).toEqual([]);
});

describe.each(DASHBOARDS)("$title", ({ rows, source }) => {
  const panels = Object.values(rows).flat();

  it.each(panels)("$title has data", async ({ queries, source: own = source }) => {
    for (const expr of Object.values(queries)) {
      const values = own === "postgres" ? await ofPostgres(expr) : await ofPrometheus(expr);
      expect(
        values.some((value) => Number.isFinite(value)),
        expr,
      ).toBe(true);
    }
  });
});

async function ofPrometheus(expr: string): Promise<number[]> {
  const series = await monitored.range(expr.replaceAll("$__rate_interval", "12s"), sinceLoad);
  return series.flatMap(({ values }) => values.map(([, value]) => Number(value)));
}

/** As Grafana asks: as payments_reader, with its macros filled in. */
async function ofPostgres(statement: string): Promise<number[]> {
  const filled = statement
    .replaceAll(/\$__timeFilter\(([^()]+)\)/g, "$1 BETWEEN '2025-01-01Z' AND '2026-01-01Z'")
    .replaceAll("$__timeFrom()", "now() - interval '1 hour'")
    .replaceAll("$__timeTo()", "now()")
    .replaceAll("$" + "{currency}", "EUR");
  expect(filled).not.toMatch(/\$/);
  const { rows } = await withPool({ role: "reader" }, (pool) => pool.query<Record<string, unknown>>(filled));
  return rows
    .flatMap((row) => Object.values(row))
    .filter((value): value is number => typeof value === "number");
}
