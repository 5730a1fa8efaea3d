import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { payments } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import {
  collectorEvtClick,
  collectorEvtConversion,
  collectorEvtPayment,
} from "../contracts/collector_evt.js";
import {
  type PagoEvent,
  paymentsEvtCompleted,
  paymentsEvtFailed,
  paymentsEvtPending,
  paymentsEvtReturned,
} from "../contracts/payments_evt.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";
import { partnerEvent } from "./domain/event.js";
import { enterEvents, entryOf } from "./store/new_event.js";

let services: Services;
beforeAll(async () => {
  services = await Services.create({}, "collector");
  await services.start();
});
afterAll(() => services?.close());

const CAMPAIGN = newId();
interface Told {
  readonly source: string;
  readonly event_id: string;
  readonly type: string;
  readonly occurred_at: string;
  readonly data: Readonly<Record<string, unknown>>;
}
const click = (more: object = {}): Told => ({
  source: "ads",
  event_id: randomUUID(),
  type: "click",
  occurred_at: "2026-11-26T10:00:00Z",
  data: { campaign_id: CAMPAIGN },
  ...more,
});
const conversion = (data: object = {}) =>
  click({
    type: "conversion",
    data: {
      campaign_id: CAMPAIGN,
      id_afiliado: "ana",
      spend: "2.50",
      commission: "0.50",
      moneda: "EUR",
      ...data,
    },
  });
const payment = (data: object = {}) =>
  click({
    type: "payment",
    data: { id_afiliado: "ana", monto: 10, moneda: "COP", referencia_pago: randomUUID(), ...data },
  });

const post = (body: unknown) => services.post("/event-collector/events", body);
const outcomesOf = async (body: unknown) =>
  (await post(body)).body.results.map(({ outcome }: { outcome: string }) => outcome) as string[];
const pathOf = ({ source, event_id }: { source: string; event_id: string }) =>
  `/event-collector/events/${source}/${encodeURIComponent(event_id)}`;
const shown = async (event: { source: string; event_id: string }) => (await services.get(pathOf(event))).body;
/** `destination state outcome` of each. */
const ways = async (event: { source: string; event_id: string }) =>
  (await shown(event)).deliveries.map(
    ({ destination, state, outcome }: Record<string, string>) => `${destination} ${state} ${outcome}`,
  ) as string[];

const decide = (event: Told, outcome: "spent" | "over_budget" | "not_active" | "wrong_currency") =>
  services.publish(campaignsSpendDecided, [
    { source: event.source, event_id: event.event_id, campaign_id: CAMPAIGN, outcome, spend: "2.50" },
  ]);

const pago = (data: Record<string, unknown>, more: Partial<PagoEvent> = {}): PagoEvent =>
  ({
    id_pago: newId(),
    id_afiliado: data["id_afiliado"],
    monto: String(data["monto"]),
    moneda: data["moneda"],
    referencia_pago: data["referencia_pago"],
    estado: "PENDIENTE",
    version: 1,
    occurred_at: new Date().toISOString(),
    ...more,
  }) as PagoEvent;

const later = (of: PagoEvent, more: Partial<PagoEvent>): PagoEvent => ({ ...of, ...more });

describe("POST /event-collector/events", () => {
  test("takes an event, with or without a slash at the end of the path, and tells what became of it", async () => {
    const clicks = await services.watch(collectorEvtClick);
    const event = click({ session_id: " S  1 " });
    const { status, body, headers } = await services.post("/event-collector/events/", event);
    expect([status, body]).toEqual([
      202,
      { results: [{ event_id: event.event_id, outcome: "accepted", reason: null }] },
    ]);
    const traceId = headers.get("traceparent")?.slice(3, 35);
    await eventually("it is sent", async () => (await ways(event))[0] === "campaigns sent null");
    expect(await services.get(`${pathOf(event)}/`)).toMatchObject({
      status: 200,
      body: {
        ...event,
        session_id: "S 1",
        occurred_at: "2026-11-26T10:00:00.000Z",
        trace_id: traceId,
        received_at: expect.any(String),
        deliveries: [{ destination: "campaigns", id_pago: null, reason: null }],
      },
    });
    const [told] = await eventually("it is announced", async () => {
      const seen = await clicks();
      return seen.length > 0 && seen;
    });
    expect(told?.body).toEqual({
      source: "ads",
      event_id: event.event_id,
      session_id: "S 1",
      occurred_at: "2026-11-26T10:00:00.000Z",
      trace_id: traceId,
      campaign_id: CAMPAIGN,
    });
  });

  test("answers each of a list: one bad of five fails none of the others", async () => {
    const [a, b, c] = [click(), conversion(), payment()];
    const { status, body } = await post([a, b, { ...click(), data: {} }, c, a]);
    expect(status).toBe(202);
    expect(body.results).toEqual([
      { event_id: a.event_id, outcome: "accepted", reason: null },
      { event_id: b.event_id, outcome: "accepted", reason: null },
      {
        event_id: expect.any(String),
        outcome: "refused",
        reason: "invalid",
        detail: expect.stringContaining("#/data/campaign_id"),
      },
      { event_id: c.event_id, outcome: "accepted", reason: null },
      { event_id: a.event_id, outcome: "duplicate", reason: null },
    ]);
  });

  test("tells a repetition from another event under the same id, which belongs to its source", async () => {
    const event = payment();
    expect(await outcomesOf(event)).toEqual(["accepted"]);
    expect(await outcomesOf({ ...event, occurred_at: "2026-11-26T11:00:00+01:00" })).toEqual(["duplicate"]);
    const other = { ...event, data: { ...event.data, monto: 11 } };
    expect((await post([other, event])).body.results).toEqual([
      { event_id: event.event_id, outcome: "conflict", reason: "event_id_used" },
      { event_id: event.event_id, outcome: "duplicate", reason: null },
    ]);
    // Of two new ones under one id the first is it.
    const [first, second] = [click(), conversion()];
    expect(await outcomesOf([first, { ...second, event_id: first.event_id }, first])).toEqual([
      "accepted",
      "conflict",
      "duplicate",
    ]);
    expect(await outcomesOf({ ...first, source: "shop" })).toEqual(["accepted"]);
  });

  test.each([
    ["no JSON", "nope", 400, "MESSAGE_MALFORMED"],
    ["a list that does not end", "[{}", 400, "MESSAGE_MALFORMED"],
    ["a number", "7", 400, "MESSAGE_MALFORMED"],
    ["nothing", "", 400, "MESSAGE_MALFORMED"],
    ["more than 10,000 events", `[${"7,".repeat(10_000)}7]`, 413, "MESSAGE_TOO_LARGE"],
    ["more than 16 MiB", " ".repeat(16 * 1_024 * 1_024 + 1), 413, "MESSAGE_TOO_LARGE"],
  ])("refuses %s", async (_, body, status, code) => {
    const answer = await post(body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test("refuses another content type", async () => {
    const answer = await services.request("POST", "/event-collector/events", "a=1", {
      "content-type": "text/plain",
    });
    expect([answer.status, answer.body.code]).toEqual([415, "CONTENT_TYPE_UNSUPPORTED"]);
  });

  test("takes 10,000 events at once, and an empty list", async () => {
    expect(await outcomesOf([])).toEqual([]);
    const events = Array.from({ length: 10_000 }, (_, i) => (i % 2 === 0 ? conversion() : payment()));
    const outcomes = await outcomesOf(events);
    expect(new Set(outcomes)).toEqual(new Set(["accepted"]));
    expect(outcomes).toHaveLength(10_000);
    expect(new Set(await outcomesOf(events.toReversed()))).toEqual(new Set(["duplicate"]));
    await eventually(
      "all are published",
      async () => (await services.owner("SELECT FROM collector.outbox")).length === 0,
      { withinMs: 60_000 },
    );
  });

  test("60 callers with one event at once: it is taken once", async () => {
    const event = payment();
    const requests = await services.watch(payoutsPayoutRequested);
    const all = await Promise.all(Array.from({ length: 60 }, () => outcomesOf([event, click()])));
    expect(all.filter(([outcome]) => outcome === "accepted")).toHaveLength(1);
    expect(all.filter(([outcome]) => outcome === "duplicate")).toHaveLength(59);
    await eventually("it is sent", async () => (await ways(event))[0] === "payouts sent null");
    const mine = (await requests()).filter(
      ({ body }) => body.referencia_pago === event.data["referencia_pago"],
    );
    expect(mine).toHaveLength(1);
  });

  test("60 callers with other events for one payout at once: one asks for it", async () => {
    const referencia_pago = randomUUID();
    const events = Array.from({ length: 60 }, (_, i) => payment({ referencia_pago, monto: 1 + (i % 2) }));
    const requests = await services.watch(payoutsPayoutRequested);
    const all = await Promise.all(events.map(outcomesOf));
    expect(new Set(all.flat())).toEqual(new Set(["accepted"]));
    const found = await Promise.all(events.map(ways));
    expect(found.filter(([way]) => way === "payouts refused reference_used")).toHaveLength(59);
    await eventually("it is asked for", async () => {
      const mine = (await requests()).filter(({ body }) => body.referencia_pago === referencia_pago);
      return mine.length === 1;
    });
    expect(await services.differences("collector")).toEqual([]);
  });
});

describe("a payment", () => {
  test("is asked of payouts, announced, and what became of its Pago is noted in any order", async () => {
    const [requests, told] = [
      await services.watch(payoutsPayoutRequested),
      await services.watch(collectorEvtPayment),
    ];
    const event = payment();
    await post(event);
    const [request] = await eventually("it is asked for", async () => {
      const seen = (await requests()).filter(
        ({ body }) => body.referencia_pago === event.data["referencia_pago"],
      );
      return seen.length > 0 && seen;
    });
    const { trace_id } = await shown(event);
    expect(request?.body).toEqual({ ...event.data, monto: "10.00", trace_id });
    expect((await told()).map(({ body }) => body)).toContainEqual(
      expect.objectContaining({ event_id: event.event_id, monto: "10.00", trace_id }),
    );

    const of = pago(event.data);
    await services.publish(paymentsEvtCompleted, [later(of, { estado: "EXITOSO", version: 3 })]);
    await eventually("it is completed", async () => (await ways(event))[0] === "payouts accepted completed");
    await services.publish(paymentsEvtPending, [of]);
    await services.publish(paymentsEvtReturned, [
      later(of, { estado: "EXITOSO", motivo: "account_closed", version: 4 }),
    ]);
    await eventually("it came back", async () => (await ways(event))[0] === "payouts accepted returned");
    expect((await shown(event)).deliveries).toMatchObject([
      { id_pago: of.id_pago, reason: "account_closed" },
    ]);
    await services.publish(paymentsEvtCompleted, [later(of, { estado: "EXITOSO", version: 3 })]);
    // What contradicts is recorded, and not applied.
    await services.publish(paymentsEvtFailed, [later(of, { estado: "FALLIDO", version: 9 })]);
    await eventually("it is recorded", async () => {
      const rows = await services.owner(
        "SELECT FROM collector.illegal_transition WHERE event = 'payments.evt.failed'",
      );
      return rows.length === 1;
    });
    expect(await ways(event)).toEqual(["payouts accepted returned"]);
  });

  test("that failed says why; a Pago that nobody asked for here is nobody's", async () => {
    const event = payment();
    await post(event);
    await services.publish(paymentsEvtFailed, [
      pago(event.data, { estado: "FALLIDO", motivo: "no_account", version: 3 }),
      pago({ ...event.data, referencia_pago: "of somebody else" }, { estado: "FALLIDO", version: 3 }),
    ]);
    await eventually("it failed", async () => (await ways(event))[0] === "payouts accepted failed");
    expect((await shown(event)).deliveries).toMatchObject([{ reason: "no_account" }]);
  });

  test("whose reference has a Pago of another amount is refused", async () => {
    const event = payment();
    await post(event);
    await services.publish(paymentsEvtPending, [pago({ ...event.data, monto: "9.99" })]);
    await eventually(
      "it is refused",
      async () => (await ways(event))[0] === "payouts refused reference_used",
    );
  });
});

describe("a conversion", () => {
  test("earns its commission once campaigns has spent it, and only once", async () => {
    const [told, requests] = [
      await services.watch(collectorEvtConversion),
      await services.watch(payoutsPayoutRequested),
    ];
    const event = conversion();
    await post(event);
    await eventually("campaigns is told", async () => (await told()).length > 0);
    await eventually("it is sent", async () => (await ways(event))[0] === "campaigns sent null");
    expect(await ways(event)).toEqual(["campaigns sent null", "payouts waiting null"]);
    expect((await requests()).filter(({ body }) => body.referencia_pago.endsWith(event.event_id))).toEqual(
      [],
    );

    await Promise.all(Array.from({ length: 5 }, () => decide(event, "spent")));
    await eventually("it is asked for", async () => (await ways(event))[1] === "payouts sent null");
    const mine = (await requests()).filter(({ body }) => body.referencia_pago.endsWith(event.event_id));
    expect(mine.map(({ body }) => body)).toEqual([
      {
        id_afiliado: "ana",
        monto: "0.50",
        moneda: "EUR",
        referencia_pago: `conversion:ads:${event.event_id}`,
        trace_id: (await shown(event)).trace_id,
      },
    ]);
    const of = { ...event.data, monto: "0.50", referencia_pago: `conversion:ads:${event.event_id}` };
    await services.publish(paymentsEvtCompleted, [pago(of, { estado: "EXITOSO", version: 3 })]);
    await eventually("it is paid", async () => (await ways(event))[1] === "payouts accepted completed");
    expect(await ways(event)).toEqual(["campaigns accepted spent", "payouts accepted completed"]);
  });

  test("is not decided by what campaigns told on another timeline: it is told again, and then it is", async () => {
    const told = await services.watch(collectorEvtConversion);
    const event = conversion();
    await post(event);
    const mine = async () => (await told()).filter(({ body }) => body.event_id === event.event_id);
    await eventually("campaigns is told", async () => (await mine()).length === 1);
    const decided = { source: event.source, event_id: event.event_id, campaign_id: CAMPAIGN };
    const body = { ...decided, outcome: "spent", spend: "2.50" } as const;
    const tell = (timeline: string) =>
      services.send([eventMessage(campaignsSpendDecided, body, { messageId: newId(), timeline })]);
    await tell("gone");
    await eventually("campaigns is told again", async () => (await mine()).length === 2);
    const [first, again] = await mine();
    expect(again?.body).toEqual(first?.body);
    expect(await ways(event)).toEqual(["campaigns sent null", "payouts waiting null"]);

    const rows = await services.owner<{ timeline: string }>("SELECT ops.timeline() AS timeline");
    await tell(rows[0]?.timeline ?? "");
    await eventually("it is decided", async () => (await ways(event))[0] === "campaigns accepted spent");
    expect(await mine()).toHaveLength(2);
  });

  test.each(["over_budget", "not_active", "wrong_currency"] as const)(
    "earns nothing when it is %s",
    async (outcome) => {
      const event = conversion();
      await post(event);
      await decide(event, outcome);
      await eventually("it is noted", async () => (await ways(event))[0] === `campaigns refused ${outcome}`);
      expect(await ways(event)).toEqual([`campaigns refused ${outcome}`, `payouts refused ${outcome}`]);
      // Decided once: what says otherwise later changes nothing.
      await decide(event, "spent");
      await eventually("it is recorded", async () => {
        const rows = await services.owner(
          `SELECT FROM collector.illegal_transition WHERE state = '${outcome}' AND reason = 'spent, after all'`,
        );
        return rows.length === 1;
      });
      expect(await ways(event)).toEqual([`campaigns refused ${outcome}`, `payouts refused ${outcome}`]);
    },
  );

  test("is not decided by what is told of another campaign, nor a click by a spend", async () => {
    const [event, seen] = [conversion(), click()];
    await post([event, seen]);
    await services.publish(campaignsSpendDecided, [
      { source: "ads", event_id: event.event_id, campaign_id: newId(), outcome: "spent", spend: "2.50" },
      { source: "ads", event_id: seen.event_id, campaign_id: CAMPAIGN, outcome: "spent", spend: "2.50" },
    ]);
    await eventually("both are recorded", async () => {
      const rows = await services.owner(
        "SELECT FROM collector.illegal_transition WHERE reason LIKE 'a spend of a%'",
      );
      return rows.length === 2;
    });
    expect((await ways(event))[1]).toBe("payouts waiting null");
  });

  test("that nobody told becomes a dead letter after its attempts", async () => {
    await services.publish(campaignsSpendDecided, [
      { source: "ads", event_id: "never told", campaign_id: CAMPAIGN, outcome: "spent", spend: "1.00" },
    ]);
    const letters = await eventually(
      "the dead letter",
      async () => {
        const found = await drain(services.settings, "collector.dlq");
        return found.length > 0 && found;
      },
      { withinMs: 40_000 },
    );
    expect(JSON.stringify(letters)).toContain("EVENT_UNKNOWN");
  });
});

describe("payments erase", () => {
  const erase = (name: string) => payments(services.settings, "erase", name, "--yes");
  /** Tables of the collector that have the text in a row. */
  const traces = async (name: string) => {
    const found: string[] = [];
    for (const table of [
      "event",
      "event_key",
      "payout",
      "delivery",
      "outbox",
      "signed_request",
      "rate_limit",
    ]) {
      const rows = await services.owner(
        `SELECT FROM collector.${table} t WHERE position($1 IN t::text) > 0`,
        [name],
      );
      found.push(...rows.map(() => table));
    }
    return found;
  };

  test("takes a name out of events and payouts; what was told stays told", async () => {
    const event = { ...payment({ id_afiliado: "lovelace" }), session_id: "visit of lovelace" };
    await post([event, click({ session_id: "visit of lovelace" })]);
    await eventually("it is sent", async () => (await ways(event))[0] === "payouts sent null");
    expect(await erase("lovelace")).toMatchObject({ code: 1, stderr: expect.stringContaining("IN_FLIGHT") });
    await services.publish(paymentsEvtCompleted, [pago(event.data, { estado: "EXITOSO", version: 3 })]);
    await eventually("it is paid", async () => (await ways(event))[0] === "payouts accepted completed");
    expect(await erase("lovelace")).toMatchObject({ code: 0 });
    expect(await erase("visit of lovelace")).toMatchObject({ code: 0 });
    expect(await traces("lovelace")).toEqual([]);
    expect((await shown(event)).data).toMatchObject({
      id_afiliado: expect.stringMatching(/^erased-/),
      monto: "10.00",
    });
    expect(await services.differences("collector")).toEqual([]);
    // It is known still, as another one.
    expect(await outcomesOf(event)).toEqual(["conflict"]);
  });
});

test("an event that nobody told is not found; a source that is none is refused", async () => {
  expect(await services.get("/event-collector/events/ads/nope")).toMatchObject({
    status: 404,
    body: { code: "EVENT_UNKNOWN" },
  });
  expect(await services.get("/event-collector/events/A/nope")).toMatchObject({ status: 400 });
});

test("GET /event-collector/health", async () => {
  expect(await services.get("/event-collector/health/")).toMatchObject({
    status: 200,
    body: { status: "healthy", checks: { postgres: "up", rabbitmq: "up" }, timestamp: expect.any(String) },
  });
});

test("after all of this the books agree", async () => {
  await eventually(
    "nothing is left",
    async () => (await services.owner("SELECT FROM collector.outbox")).length === 0,
  );
  expect(await services.differences("collector")).toEqual([]);
});

test("a list of thousands is entered, although it takes longer than a statement of a request may", async () => {
  const pool = createServicePool(services.settings, {
    ...{ role: "payments_collector", schema: "collector" },
    ...{ max: 1, applicationName: "thousands" },
  });
  try {
    const entries = Array.from({ length: 10_000 }, (_, n) =>
      entryOf(partnerEvent.parse(click({ event_id: `thousands ${n}` })), "0".repeat(31).concat("1")),
    );
    await pool.query("SET statement_timeout = '100ms'");
    const { fresh } = await enterEvents(pool, [{ entries, webhook: undefined }], 60);
    expect(fresh.size).toBe(entries.length);
  } finally {
    await pool.end();
  }
});
