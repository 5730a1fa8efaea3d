import { afterAll, beforeAll, expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import { collectorEvtConversion } from "../services/contracts/collector_evt.js";
import { payoutsPayoutRequested } from "../services/contracts/payouts_payout_requested.js";
import { drain } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { FakeGateway, WEBHOOK_SECRET } from "./harness/fake_gateway.js";
import { payments } from "./harness/process.js";
import { Services } from "./harness/service.js";

const SECRET = `whsec_${"A".repeat(32)}`;

let services: Services;
let gateway: FakeGateway;

/** The collector, campaigns and payouts, and a gateway that pays at once. */
beforeAll(async () => {
  gateway = await FakeGateway.start();
  gateway.onPay = ({ pay }) => {
    const payout = pay();
    payout.status = "paid";
    return { status: 200, body: payout };
  };
  const settings = {
    COLLECTOR_SECRETS: `one=${SECRET},two=${SECRET}`,
    STRIPE_API_BASE: gateway.url,
    STRIPE_API_KEY: "sk_test",
    STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
  };
  services = await Services.create(settings, "collector", "campaigns", "payouts");
  await services.start();
});
afterAll(async () => {
  await services?.close();
  await gateway?.close();
});

/** Nothing waits to be published, and every event's end is known. */
const settled = () =>
  eventually(
    "all is settled",
    async () => {
      const [row] = await services.owner<{ open: bigint }>(
        `SELECT (SELECT coalesce(sum(waiting_events), 0) FROM ops.outbox_state())
              + (SELECT count(*) FROM collector.delivery WHERE awaited AND (outcome IS NULL OR outcome = 'pending')) AS open`,
      );
      return Number(row?.open) === 0;
    },
    { withinMs: 60_000 },
  );

async function traffic(...args: string[]) {
  const settings = { ...services.settings, TRAFFIC_SECRETS: services.settings.COLLECTOR_SECRETS };
  const { code, stdout, stderr } = await payments(
    settings,
    ...["traffic", "--partners", "--json", "--url", services.url],
    ...args,
  );
  expect([code, stderr.includes("Error")]).toEqual([0, false]);
  return JSON.parse(stdout);
}

async function audit(id: number) {
  const { code, stdout, stderr } = await payments(
    services.settings,
    "audit",
    "--quiesced",
    "--json",
    "--traffic",
    String(id),
  );
  expect(stderr).toBe("");
  return { code, differences: JSON.parse(stdout).differences as Record<string, string>[] };
}

test("what comes of partners' events, told again and out of order, is what the answer key says", async () => {
  const result = await traffic(
    "--rate",
    "400",
    "--seconds",
    "2",
    "--refused-share",
    "0.5",
    "--duplicate-share",
    "0.3",
  );
  expect(result).toMatchObject({ sent: 800, created: 800, refused: 0, unknown: 0, failures: {} });
  await settled();
  expect(await services.owner("SELECT FROM collector.event")).toHaveLength(560);
  expect(await audit(result.traffic)).toEqual({ code: 0, differences: [] });
  // All outcomes are among them, or that proves little.
  const outcomes = await services.owner<{ outcome: string }>(
    "SELECT DISTINCT outcome FROM collector.delivery WHERE outcome IS NOT NULL ORDER BY 1",
  );
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([
    "completed",
    "not_active",
    "over_budget",
    "spent",
    "wrong_currency",
  ]);
});

/** Changes of the answer key, each of another event, and what the audit names then. */
test.each([
  ["an amount", "payment", "payout = payout + 1", "event"],
  ["a spend", "conversion", "spend = spend + 1", "event"],
  ["what must come of it", "conversion", "expected = 'not_active'", "event"],
  ["an event that was refused", "click", "answer = 'refused'", "event"],
  ["an event that is not there", "impression", "event_id = 'never'", "event"],
])("%s that is another one is named", async (_, type, change, what) => {
  const [event] = await services.owner<{ trafficId: bigint; source: string; eventId: string }>(
    `UPDATE traffic.partner_event SET ${change}
     WHERE (traffic_id, source, event_id) = (
       SELECT traffic_id, source, event_id FROM traffic.partner_event
       WHERE type = '${type}' AND expected IS NOT DISTINCT FROM CASE type WHEN 'conversion' THEN 'spent' WHEN 'payment' THEN 'paid' END
       ORDER BY random() LIMIT 1)
     RETURNING traffic_id AS "trafficId", source, event_id AS "eventId"`,
  );
  const { code, differences } = await audit(Number(event?.trafficId));
  expect(code).toBe(3);
  expect(differences.map((each) => each["what"])).toContain(`${what} ${event?.source}/${event?.eventId}`);
});

test("a campaign that spent more than its budget, and one that refused what it had, are named", async () => {
  const rows = await services.owner<{ trafficId: bigint; id: string }>(
    `UPDATE traffic.campaign c SET budget = CASE WHEN budget < 1000000 THEN 100000000 ELSE 1 END
     WHERE EXISTS (SELECT FROM traffic.partner_event e WHERE e.campaign_id = c.campaign_id AND e.expected LIKE 'spent%')
     RETURNING traffic_id AS "trafficId", campaign_id AS id`,
  );
  const { differences } = await audit(Number(rows[0]?.trafficId));
  const named = new Set(differences.map((each) => each["what"]));
  expect(rows.filter(({ id }) => !named.has(`campaign ${id}`))).toEqual([]);
});

test("what campaigns and payouts never heard of, as after a restore or without the broker, is told again and takes effect once", async () => {
  const { id: campaign_id } = (
    await services.post("/campaigns", { name: "lost", budget: "3.00", currency: "EUR" })
  ).body;
  await services.request("PATCH", `/campaigns/${campaign_id}/activate`);
  await services.stop();
  const often = () => ({ COLLECTOR_SECRETS: "", COLLECTOR_RESEND_AFTER_S: 1 });
  const alone = await Services.on(services.platform, "collector");
  const [conversions, requests] = [
    await alone.watch(collectorEvtConversion),
    await alone.watch(payoutsPayoutRequested),
  ];
  await alone.start(often);
  const envelope = { source: "lost", occurred_at: new Date().toISOString() };
  const to = { id_afiliado: "lost", moneda: "EUR" };
  const events = [
    { ...envelope, event_id: "c", type: "conversion", data: { ...to, campaign_id, spend: 2, commission: 1 } },
    { ...envelope, event_id: "p", type: "payment", data: { ...to, monto: 5, referencia_pago: "lost" } },
  ];
  expect((await alone.post("/event-collector/events", events)).status).toBe(202);
  const told = async () => [(await conversions()).length, (await requests()).length] as const;
  await eventually("both are told", async () => (await told()).every((messages) => messages > 0));
  await alone.leave();
  for (const { event, work } of MODULES.flatMap(({ queues }) => queues)) {
    if (event === collectorEvtConversion.name || event === payoutsPayoutRequested.name) {
      await drain(services.settings, work);
    }
  }

  await services.start(often);
  await settled();
  await eventually("the books agree", async () => (await services.audit()).length === 0);
  const effects = await services.owner(
    `SELECT (SELECT count(*) FROM campaigns.spend WHERE source = 'lost')::integer AS spends,
            (SELECT array_agg(referencia_pago ORDER BY referencia_pago) FROM payouts.pago WHERE id_afiliado = 'lost') AS pagos`,
  );
  expect(effects).toEqual([{ spends: 1, pagos: ["conversion:lost:c", "lost"] }]);
  for (const messages of [await conversions(), await requests()]) {
    const [first, ...again] = messages.map(({ message }) => message.properties);
    expect(first?.headers).not.toHaveProperty("x-repeat");
    const asked = again.filter(({ headers }) => headers?.["x-repeat"] === true);
    expect(asked.length).toBeGreaterThan(0);
    expect(new Set(messages.map(({ message }) => message.properties.messageId)).size).toBe(messages.length);
  }
});

test("the same seed tells the same events in the same order", async () => {
  const run = async () => (await traffic("--rate", "100", "--seconds", "1", "--seed", "9")).traffic as number;
  const [one, other] = [await run(), await run()];
  const told = (id: number) =>
    services.owner(
      `SELECT source, split_part(event_id, ':', 3) AS n, type, id_afiliado, moneda, spend, payout, expected, told
       FROM traffic.partner_event WHERE traffic_id = ${id} ORDER BY 1, 2`,
    );
  expect(await told(other)).toEqual(await told(one));
  await settled();
  expect((await audit(one)).code).toBe(0);
});
