import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { processState, startServiceAt } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";
import { campaignsEvtUpdated } from "../contracts/campaigns_evt.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import { collectorEvtClick, collectorEvtConversion } from "../contracts/collector_evt.js";

const EVENTS = 60;

let services: Services;
let campaigns: readonly string[];

beforeEach(async () => {
  // The broker waits three heartbeats before it gives a frozen process's messages to another.
  services = await Services.create({ RABBITMQ_HEARTBEAT_S: "2" }, "campaigns");
  await services.start();
  campaigns = await Promise.all(
    ["a", "b", "c"].map(async (name) => {
      const { body } = await services.post("/campaigns", { name, budget: "15.00", currency: "USD" });
      await services.request("PATCH", `/campaigns/${body.id}/activate`);
      return body.id as string;
    }),
  );
  await services.stop();
});
afterEach(() => services?.close());

/** 20 for each of three campaigns, whose budgets are for 15. */
const conversions = () =>
  Array.from({ length: EVENTS }, (_, i) => ({
    source: "acme",
    event_id: randomUUID(),
    campaign_id: campaigns[i % 3] as string,
    occurred_at: new Date().toISOString(),
    id_afiliado: "afiliado-1",
    spend: "1.00",
    commission: "0.10",
    moneda: "USD" as const,
  }));
const clicks = () =>
  conversions().map(({ source, event_id, campaign_id, occurred_at }) => ({
    source,
    event_id,
    campaign_id,
    occurred_at,
  }));

const faulty = async (point: string, signal: NodeJS.Signals) => {
  const port = await freePort();
  const settings = { ...services.settings, HTTP_PORT: port };
  return { port, ...startServiceAt(settings, { module: "campaigns", point, signal }) };
};

async function expectDecided(
  asked: readonly { readonly event_id: string }[],
  decided: Awaited<ReturnType<typeof watch>>,
) {
  await eventually(
    "all answered",
    async () => new Set((await decided()).map(({ body }) => body.event_id)).size === asked.length,
    {
      withinMs: 30_000,
    },
  );
  const outcomes = new Map<string, Set<string>>();
  for (const { body } of await decided()) {
    outcomes.set(body.event_id, (outcomes.get(body.event_id) ?? new Set()).add(body.outcome));
  }
  expect([...outcomes.values()].every(({ size }) => size === 1)).toBe(true);
  expect([...outcomes.values()].filter((each) => each.has("spent"))).toHaveLength(45);
  for (const id of campaigns) {
    expect((await services.get(`/campaigns/${id}/metrics`)).body).toMatchObject({
      spend: "15.00",
      remaining: "0.00",
      conversions: 15,
    });
  }
  await eventually("the books agree", async () => (await services.differences("campaigns")).length === 0);
  expect(await drain(services.settings, "campaigns.dlq")).toEqual([]);
}
const watch = () => services.watch(campaignsSpendDecided);

test.each(["campaigns_lock", "campaigns_enter_spends", "committed", "published"])(
  "kill -9 before %s: every conversion is decided once and answered",
  async (point) => {
    const decided = await watch();
    const asked = conversions();
    const doomed = await faulty(point, "SIGKILL");
    await services.publish(collectorEvtConversion, asked);
    await doomed.ended;
    await services.start();
    await expectDecided(asked, decided);
  },
);

test("a process frozen with campaigns in hand lets go of them; another one goes on, and it commits nothing when it wakes", async () => {
  const decided = await watch();
  const asked = conversions();
  const frozen = await faulty("campaigns_enter_spends", "SIGSTOP");
  await services.publish(collectorEvtConversion, asked);
  // Seen at once: what is to be free in time is counted from here.
  await eventually("frozen", async () => (await processState(frozen.child.pid)) === "T", {
    withinMs: 60_000,
    everyMs: 25,
  });
  // idle_in_transaction_session_timeout is 1 s.
  const free = () =>
    services.owner("SELECT FROM campaigns.campaign FOR UPDATE NOWAIT").then(
      () => true,
      () => false,
    );
  await eventually("its locks are free", free, { withinMs: 1_500 });
  await services.start();
  const paused = await services.request("PATCH", `/campaigns/${campaigns[0]}/budget`, { budget: "15.00" });
  expect(paused.status).toBe(200);
  await expectDecided(asked, decided);
  frozen.child.kill("SIGCONT");
  frozen.child.kill("SIGTERM");
  expect((await frozen.ended).code).toBe(0);
  expect(await services.differences("campaigns")).toEqual([]);
});

test.each(["campaigns_count_clicks", "committed"])(
  "kill -9 before %s: every click is counted once, and in the end announced",
  async (point) => {
    const updated = await services.watch(campaignsEvtUpdated);
    const asked = clicks();
    const doomed = await faulty(point, "SIGKILL");
    await services.publish(collectorEvtClick, asked);
    await doomed.ended;
    await services.start();
    const newest = async () => {
      const events = (await updated()).map(({ body }) => body).sort((a, b) => a.version - b.version);
      return campaigns.map((id) => events.findLast(({ campaign_id }) => campaign_id === id)?.clicks);
    };
    await eventually("all announced", async () => (await newest()).every((count) => count === 20), {
      withinMs: 30_000,
    });
    await eventually("the books agree", async () => (await services.differences("campaigns")).length === 0);
  },
);

test("two processes, every message double and in disorder: each takes effect once", async () => {
  const decided = await watch();
  const second = await faulty("never", "SIGKILL");
  await services.start();
  const ready = () => fetch(`http://127.0.0.1:${second.port}/readyz`).catch(() => undefined);
  await eventually("both ready", async () => (await ready())?.status === 200, { withinMs: 60_000 });
  const [asked, seen] = [conversions(), clicks()];
  const shuffled = <T>(list: readonly T[]) => [...list, ...list].sort(() => Math.random() - 0.5);
  await Promise.all([
    services.publish(collectorEvtConversion, shuffled(asked)),
    services.publish(collectorEvtClick, shuffled(seen)),
  ]);
  await eventually("all answered twice", async () => (await decided()).length === 2 * EVENTS, {
    withinMs: 30_000,
  });
  await eventually("all counted", async () => {
    const [row] = await services.owner<{ n: number }>(
      "SELECT count(*)::integer AS n FROM campaigns.sighting",
    );
    return row?.n === EVENTS;
  });
  await expectDecided(asked, decided);
  second.child.kill("SIGTERM");
  expect((await second.ended).code).toBe(0);
});
