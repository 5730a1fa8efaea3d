import { afterEach, beforeEach, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { startServiceAt } from "../../tests/harness/process.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { Services } from "../../tests/harness/service.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import { collectorEvtClick } from "../contracts/collector_evt.js";
import { paymentsEvtCompleted } from "../contracts/payments_evt.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";

let services: Services;
beforeEach(async () => {
  services = await Services.create({}, "collector");
});
afterEach(() => services?.close());

const CAMPAIGN = newId();
const eventOf = (type: string, event_id: string, data: object) => ({
  source: "ads",
  event_id,
  type,
  occurred_at: "2026-11-26T10:00:00Z",
  data,
});
const click = (id: string) => eventOf("click", id, { campaign_id: CAMPAIGN });
const conversion = (id: string) =>
  eventOf("conversion", id, {
    campaign_id: CAMPAIGN,
    id_afiliado: "ana",
    spend: "2.50",
    commission: "0.50",
    moneda: "EUR",
  });
const payment = (id: string) =>
  eventOf("payment", id, { id_afiliado: "ana", monto: "10.00", moneda: "COP", referencia_pago: id });

/** A process of the collector that kills itself at a point. */
async function doomed(point: string) {
  const port = await freePort();
  const fault = { module: "collector", point, signal: "SIGKILL" } as const;
  return {
    ...startServiceAt({ ...services.settings, HTTP_PORT: port }, fault),
    url: `http://127.0.0.1:${port}`,
  };
}

const answers = (url: string) =>
  eventually("ready", async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200, {
    withinMs: 60_000,
  });

const post = (url: string, body: unknown) =>
  fetch(`${url}/event-collector/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const outcomesOf = async (body: unknown) =>
  (await services.post("/event-collector/events", body)).body.results.map(
    ({ outcome }: { outcome: string }) => outcome,
  ) as string[];

const decide = (ids: readonly string[]) =>
  services.publish(
    campaignsSpendDecided,
    ids.map((event_id) => ({
      source: "ads",
      event_id,
      campaign_id: CAMPAIGN,
      outcome: "spent" as const,
      spend: "2.50",
    })),
  );

const nothingLeft = () =>
  eventually(
    "nothing in the outbox",
    async () => (await services.owner("SELECT FROM collector.outbox")).length === 0,
    {
      withinMs: 30_000,
    },
  );

test("kill -9 in the middle of POST: told again the event takes effect once, and all of it is published", async () => {
  const requests = await services.watch(payoutsPayoutRequested);
  // Before the statement, between commit and publish, between publish and what follows.
  const points = ["collector_enter", "committed", "published"];
  for (const point of points) {
    const { url, ended } = await doomed(point);
    await answers(url);
    await post(url, payment(point)).catch(() => undefined);
    await ended;
    // What it left in its outbox would be the next one's death before that is asked.
    await services.start();
    await nothingLeft();
    await services.stop();
  }
  await services.start();
  for (const point of points) {
    const outcome = point === "collector_enter" ? "accepted" : "duplicate";
    expect([point, ...(await outcomesOf(payment(point)))]).toEqual([point, outcome]);
  }
  await nothingLeft();
  const asked = (await requests()).map(
    ({ body, message }) => `${body.referencia_pago} ${message.properties.messageId}`,
  );
  expect(new Set(asked).size).toBe(points.length);
  expect(await services.differences("collector")).toEqual([]);
});

test("kill -9 between a decision's effect and its ack: its commission is asked for once", async () => {
  const requests = await services.watch(payoutsPayoutRequested);
  await services.start();
  const points = ["collector_decide", "committed", "published"];
  const ids = Array.from({ length: 20 * points.length }, (_, i) => `c${i}`);
  await outcomesOf(ids.map(conversion));
  await nothingLeft();
  await services.stop();
  for (const [i, point] of points.entries()) {
    await decide(ids.slice(20 * i, 20 * i + 20));
    await (await doomed(point)).ended;
  }
  await services.start();
  const asked = async () =>
    (await requests()).map(({ body, message }) => `${body.referencia_pago} ${message.properties.messageId}`);
  const distinct = async () => new Set(await asked()).size;
  await eventually("all are asked for", async () => (await distinct()) === ids.length, { withinMs: 90_000 });
  await nothingLeft();
  expect(await distinct()).toBe(ids.length);
  expect(await services.owner("SELECT FROM collector.illegal_transition")).toEqual([]);
  expect(await services.differences("collector")).toEqual([]);
});

test("two processes, every event and every answer double and in disorder: each takes effect once", async () => {
  const second = await doomed("never");
  await answers(second.url);
  await services.start();
  const requests = await services.watch(payoutsPayoutRequested);
  const events = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? conversion(`e${i}`) : payment(`e${i}`)));
  const shuffled = [...events, ...events].sort(() => Math.random() - 0.5);
  await Promise.all(shuffled.map((event, i) => post(i % 2 === 0 ? second.url : services.url, event)));
  const conversions = events.filter(({ type }) => type === "conversion").map(({ event_id }) => event_id);
  await decide([...conversions, ...conversions].sort(() => Math.random() - 0.5));
  await eventually(
    "all are asked for",
    async () => new Set((await requests()).map(({ body }) => body.referencia_pago)).size === 60,
  );
  const bodies = [...new Map((await requests()).map(({ body }) => [body.referencia_pago, body])).values()];
  const pagos = bodies.map((body) => ({
    ...{ ...body, id_pago: newId(), estado: "EXITOSO" as const, version: 3 },
    occurred_at: new Date().toISOString(),
  }));
  await services.publish(
    paymentsEvtCompleted,
    [...pagos, ...pagos].sort(() => Math.random() - 0.5),
  );
  await eventually("all are paid", async () => {
    const rows = await services.owner(
      "SELECT FROM collector.delivery WHERE destination = 'payouts' AND outcome = 'completed'",
    );
    return rows.length === 60;
  });
  second.child.kill("SIGTERM");
  expect((await second.ended).code).toBe(0);
  await nothingLeft();
  const ids = (await requests()).map(({ message }) => message.properties.messageId);
  expect(new Set(ids).size).toBe(60);
  expect(await services.differences("collector")).toEqual([]);
});

test("the broker away: events are taken, and published when it is back", async () => {
  const { RABBITMQ_HOST, RABBITMQ_PORT } = services.settings;
  const proxy = await TcpProxy.open(() => ({ host: RABBITMQ_HOST, port: RABBITMQ_PORT }));
  const clicks = await services.watch(collectorEvtClick);
  const port = await freePort();
  const fault = { module: "collector", point: "never", signal: "SIGKILL" } as const;
  const { child, ended } = startServiceAt(
    { ...services.settings, HTTP_PORT: port, RABBITMQ_PORT: proxy.port },
    fault,
  );
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  proxy.refuse();
  proxy.reset();
  await eventually("it knows", async () => {
    const health = await fetch(`${url}/event-collector/health`);
    return health.status === 200 && ((await health.json()) as { status: string }).status === "degraded";
  });
  const answer = await post(url, [click("one"), click("two")]);
  expect([answer.status, await answer.json()]).toMatchObject([
    202,
    { results: [{ outcome: "accepted" }, { outcome: "accepted" }] },
  ]);
  const shown = await fetch(`${url}/event-collector/events/ads/one`);
  expect(await shown.json()).toMatchObject({ deliveries: [{ destination: "campaigns", state: "waiting" }] });
  proxy.pass();
  await eventually(
    "both are published",
    async () => new Set((await clicks()).map(({ body }) => body.event_id)).size === 2,
    {
      withinMs: 60_000,
    },
  );
  await nothingLeft();
  child.kill("SIGTERM");
  await ended;
  await proxy.close();
});

test("the database away: 503 with Retry-After, and the same again is taken", async () => {
  const { POSTGRES_HOST, POSTGRES_PORT } = services.settings;
  const proxy = await TcpProxy.open(() => ({ host: POSTGRES_HOST, port: POSTGRES_PORT }));
  const port = await freePort();
  const fault = { module: "collector", point: "never", signal: "SIGKILL" } as const;
  const { child, ended } = startServiceAt(
    { ...services.settings, HTTP_PORT: port, POSTGRES_PORT: proxy.port },
    fault,
  );
  const url = `http://127.0.0.1:${port}`;
  await answers(url);
  proxy.refuse();
  proxy.reset();
  const away = await post(url, click("one"));
  expect([
    away.status,
    away.headers.get("retry-after"),
    ((await away.json()) as { code: string }).code,
  ]).toEqual([503, expect.stringMatching(/^\d+$/), "UNAVAILABLE"]);
  expect((await fetch(`${url}/event-collector/health`)).status).toBe(503);
  proxy.pass();
  await eventually("it is taken", async () => (await post(url, click("one"))).status === 202);
  expect(await services.owner("SELECT FROM collector.event")).toHaveLength(1);
  child.kill("SIGTERM");
  await ended;
  await proxy.close();
});
