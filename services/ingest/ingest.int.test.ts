import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hexOf, newId } from "../../lib/domain/ids.js";
import { Outbox } from "../../lib/messaging/outbox.js";
import { silentLogger } from "../../lib/observability/log.js";
import { createRegistry, register } from "../../lib/observability/registry.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { payments } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";
import { applyAll } from "./commands/apply.js";
import { normaliseBody } from "./domain/normalise.js";
import type { Normalised } from "./domain/normalised.js";
import { forecastRetry, onRetryRequested } from "./handlers/on_retry_requested.js";
import { ingestMetrics } from "./metrics.js";
import type { Normaliser } from "./normaliser.js";
import { foresee, renormalise } from "./renormalise.js";
import { retryChore } from "./retries.js";
import { ruleNormaliser } from "./rule_normaliser.js";

let services: Services;
beforeAll(async () => {
  services = await Services.create({ INGEST_RATE_PER_MINUTE: "0" }, "ingest");
  await services.start();
}, 60_000);
afterAll(() => services?.close());

let made = 0;
/** A Stripe event of its own. */
const charge = (object: object = {}, event: object = {}) => {
  made += 1;
  return {
    id: `evt_${made}`,
    object: "event",
    created: 1_763_632_800,
    type: "charge.succeeded",
    data: {
      object: {
        id: `ch_${made}`,
        object: "charge",
        amount: 5_000,
        currency: "usd",
        status: "succeeded",
        created: 1_763_632_800,
        ...object,
      },
    },
    ...event,
  };
};
const post = (raw_event: unknown, provider?: string) =>
  services.post("/api/v1/events", { raw_event, provider });
const batch = (body: string, type: string) =>
  services.request("POST", "/api/v1/events/batch", body, { "content-type": type });
const read = async (id: string) => (await services.get(`/api/v1/events/${id}`)).body;

describe("POST /api/v1/events", () => {
  test("the contract's curl line is 50.00 USD of Acme Corp", async () => {
    const answer = await post(
      { status: "succeeded", amount: 5000, currency: "usd", merchant: "Acme Corp" },
      "stripe",
    );
    expect(answer).toMatchObject({
      status: 201,
      body: { status: "APPROVED", normalization_method: "rule", message: expect.any(String), repeat: false },
    });
    expect(answer.headers.get("location")).toBe(`/api/v1/events/${answer.body.id}`);
    expect(await read(answer.body.id)).toMatchObject({
      merchant_name: "Acme Corp",
      provider: "stripe",
      status_category: "APPROVED",
      failure_reason: null,
      amount: "50.00",
      currency: "USD",
      amount_usd: "50.00",
      fx: null,
      unprocessed: null,
      source: "api",
    });
  });

  test("sent again it is the first one, and nothing is changed", async () => {
    const raw = charge();
    const first = await post(raw);
    const again = await post({ ...raw, pending_webhooks: 3 });
    expect(again.body).toMatchObject({ id: first.body.id, repeat: true });
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const at_once = await Promise.all(
      Array.from({ length: 20 }, () => post(charge({}, { id: "evt_at_once" }))),
    );
    expect(new Set(at_once.map(({ body }) => body.id)).size).toBe(1);
    expect(at_once.filter(({ body }) => !body.repeat)).toHaveLength(1);
  });

  test("what nobody knows is stored, and says why", async () => {
    const answer = await post({ hello: "world" });
    expect(answer).toMatchObject({
      status: 201,
      body: { status: "UNPROCESSED", normalization_method: "none" },
    });
    expect(await read(answer.body.id)).toMatchObject({ unprocessed: { code: "UNRECOGNISED" }, amount: null });
    const text = await post("<a><b>1</b></a>");
    expect(text).toMatchObject({ status: 201, body: { status: "UNPROCESSED" } });
    expect((await post('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')).body.message).toContain("MALFORMED");
  });

  test.each([
    [{}, 422, "INGEST_EVENT_EMPTY"],
    [[], 422, "INGEST_EVENT_EMPTY"],
    ["  ", 422, "INGEST_EVENT_EMPTY"],
    [null, 422, "INGEST_EVENT_EMPTY"],
    [undefined, 422, "INGEST_EVENT_EMPTY"],
    [7, 400, "REQUEST_INVALID"],
  ])("raw_event %j is refused", async (raw, status, code) => {
    expect(await post(raw)).toMatchObject({ status, body: { code } });
  });

  test("a body of several payments is an event for each, in order", async () => {
    const raw = [charge({ status: "succeeded" }), { nothing: "known" }];
    const { body } = await post(raw);
    expect(body.events).toMatchObject([{ status: "APPROVED" }, { status: "UNPROCESSED" }]);
    const [first, second] = await Promise.all(body.events.map(({ id }: { id: string }) => read(id)));
    expect(first.body_id).toBe(second.body_id);
  });

  test.each(["no\0body", "\0", "half \ud83d", "cvv=1 ".repeat(42)])(
    "a hint that PostgreSQL cannot hold, %j, keeps no neighbour",
    async (provider) => {
      const items = [{ raw_event: charge() }, { raw_event: { hello: "world" }, provider }];
      const answer = await batch(JSON.stringify(items), "application/json");
      expect(JSON.parse(answer.body)).toMatchObject([{ status: "APPROVED" }, { status: "UNPROCESSED" }]);
      expect(await post({ hello: "world" }, provider)).toMatchObject({ status: 201 });
    },
  );

  test("no card number is in what is stored of a body that is understood", async () => {
    const pan = "4548812049400004";
    const parameters = Buffer.from(
      JSON.stringify({
        ...{
          Ds_Date: "20/11/2025",
          Ds_Hour: "10:05",
          Ds_Amount: "1000",
          Ds_Currency: "978",
          Ds_Order: `T${pan}`.slice(0, 9),
        },
        ...{ Ds_MerchantCode: "999008881", Ds_Terminal: "1", Ds_Response: "0000", Ds_TransactionType: "0" },
        ...{ Ds_Card_Number: pan, Ds_MerchantData: "Librer\u00eda" },
      }),
      "latin1",
    );
    const { body } = await post({ Ds_MerchantParameters: parameters.toString("base64") }, "redsys");
    expect(body.status).toBe("APPROVED");
    const [row] = await services.owner<{ bytes: Buffer; text: string }>(
      "SELECT b.bytes, concat(e::text, b.merchant) AS text FROM ingest.event e JOIN ingest.body b ON b.id = e.body_id WHERE e.id = $1",
      [body.id],
    );
    const { Ds_MerchantParameters: stored } = JSON.parse(
      inflateRawSync(row?.bytes ?? Buffer.alloc(0)).toString(),
    );
    expect(Buffer.from(stored, "base64").toString("latin1")).toContain("454881******0004");
    expect(row?.text).not.toContain(pan);
  });

  test("no card number is kept, answered or logged", async () => {
    const pan = "4242424242424242";
    const { body } = await post({ card: { number: pan, cvc: "123" }, note: `paid with ${pan}` }, `me ${pan}`);
    expect(JSON.stringify(body)).not.toContain(pan);
    const [row] = await services.owner<{ text: string }>(
      "SELECT concat(e::text, b.hint) AS text FROM ingest.event e JOIN ingest.body b ON b.id = e.body_id WHERE e.id = $1",
      [body.id],
    );
    expect(row?.text).not.toContain(pan);
  });
});

describe("POST /api/v1/events/batch", () => {
  test("a list has a list of answers; what is wrong with one is its own affair", async () => {
    const good = { raw_event: charge() };
    const items = [
      good,
      { raw_event: {} },
      { raw_event: charge(), amount: 1 },
      good,
      { raw_event: charge() },
    ];
    const { status, body } = await batch(JSON.stringify(items), "application/json");
    expect(status).toBe(201);
    const answers = JSON.parse(body);
    expect(answers).toMatchObject([
      { index: 0, status: "APPROVED", repeat: false },
      { index: 1, code: "INGEST_EVENT_EMPTY" },
      { index: 2, code: "REQUEST_INVALID" },
      { index: 3, id: answers[0].id, repeat: true },
      { index: 4, status: "APPROVED", repeat: false },
    ]);
  });

  test("lines have lines of answers, more than a transaction takes too", async () => {
    const lines = Array.from({ length: 2_500 }, () => JSON.stringify({ raw_event: charge() }));
    lines[1_200] = "{ no json";
    const { body } = await batch(`${lines.join("\n")}\n\n`, "application/x-ndjson");
    const answers = (body as string)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { status: string });
    expect(answers).toHaveLength(2_500);
    expect(answers[1_200]).toMatchObject({ index: 1_200, code: "MESSAGE_MALFORMED" });
    expect(answers.filter(({ status }) => status === "APPROVED")).toHaveLength(2_499);
  });

  test("two batches with the same events in another order each, at once: each event once", async () => {
    const events = Array.from({ length: 300 }, () => ({ raw_event: charge() }));
    const both = [events, events.toReversed()].map((each) => batch(JSON.stringify(each), "application/json"));
    const [some, others] = (await Promise.all(both)).map(
      ({ body }) => JSON.parse(body) as { id: string; repeat: boolean }[],
    );
    expect(some?.map(({ id }) => id)).toEqual(others?.map(({ id }) => id).toReversed());
    expect([...(some ?? []), ...(others ?? [])].filter(({ repeat }) => !repeat)).toHaveLength(300);
  });

  test("a report of thousands of rows is an event for each", async () => {
    const rows = Array.from({ length: 2_500 }, (_, i) => `po_${i},${i}.50,eur,paid`);
    const { status, body } = await post(`id,amount,currency,status\n${rows.join("\n")}`);
    expect(status).toBe(201);
    expect(body.events).toHaveLength(2_500);
  });

  test("nothing, too much and no list are told apart", async () => {
    expect((await batch("[]", "application/json")).body).toBe("[]");
    const many = JSON.stringify(Array.from({ length: 10_001 }, () => 0));
    expect(await batch(many, "application/json")).toMatchObject({ status: 413 });
    expect(await batch("7", "application/json")).toMatchObject({ status: 400 });
    expect(await batch("7", "text/plain")).toMatchObject({ status: 415 });
  });
});

test("a payment stands as its events say, in whatever order they come", async () => {
  const of = { id: "ch_order", payment_intent: "pi_order" };
  const events = [
    charge({ ...of, status: "pending" }, { type: "charge.pending", created: 1_763_632_800 }),
    charge(of, { created: 1_763_632_900 }),
    charge(
      { ...of, refunded: true, amount_refunded: 5_000 },
      { type: "charge.refunded", created: 1_763_633_000 },
    ),
  ];
  const answers = [];
  for (const event of [events[2], events[0], events[1]]) {
    answers.push((await post(event)).body);
  }
  const shown = await Promise.all(answers.map(({ id }) => read(id)));
  expect(shown.map(({ payment_status }) => payment_status)).toEqual(["REFUNDED", "REFUNDED", "REFUNDED"]);
  expect(new Set(shown.map(({ payment_ref }) => payment_ref)).size).toBe(1);
});

test("an event is worth in USD what the latest rate up to its day says, and nothing without one", async () => {
  const eur = await read((await post(charge({ currency: "eur" }))).body.id);
  expect(eur).toMatchObject({ amount: "50.00", amount_usd: "54.04", fx: { day: "2023-08-28" } });
  const before = await read(
    (await post(charge({ currency: "eur", created: 1e9 }, { created: 1e9 }))).body.id,
  );
  expect(before).toMatchObject({ amount: "50.00", amount_usd: null, fx: null });
  expect(await read((await post(charge({ currency: "cop" }))).body.id)).toMatchObject({
    amount_usd: null,
    fx: null,
  });
});

describe("lists and figures", () => {
  test("events by pages and filters", async () => {
    const page = (await services.get("/api/v1/events?provider=stripe&status_category=APPROVED&limit=2")).body;
    expect(page.items).toHaveLength(2);
    const next = (
      await services.get(
        `/api/v1/events?provider=stripe&status_category=APPROVED&limit=2&cursor=${page.next}`,
      )
    ).body;
    expect(next.items[0].id < page.items[1].id).toBe(true);
    const open = (await services.get("/api/v1/events?status_category=UNPROCESSED")).body.items;
    expect(open.length).toBeGreaterThan(2);
    expect(
      open.every(({ status_category }: { status_category: string }) => status_category === "UNPROCESSED"),
    ).toBe(true);
    expect((await services.get("/api/v1/events?payment_ref=pi_order")).body.items).toHaveLength(3);
    expect((await services.get(`/api/v1/events/${newId()}`)).status).toBe(404);
    expect((await services.get("/api/v1/events?received_to=2020-01-01T00:00:00Z")).body.items).toEqual([]);
  });

  test("a late event counts on the day on which it happened", async () => {
    const day = "?start_date=2001-09-09&end_date=2001-09-09";
    const { body } = await services.get(`/api/v1/metrics/summary${day}`);
    expect(body).toMatchObject({
      events: 1,
      by_status: { APPROVED: 1 },
      success_rate: 1,
      mean_latency_ms: expect.any(Number),
      by_provider: [{ provider: "stripe", events: 1 }],
      round_amounts: [{ provider: "stripe", currency: "EUR", events: 1, share: 1, suspect: false }],
    });
  });

  test("figures have a tag, and are not sent again to whoever has them", async () => {
    const path = "/api/v1/metrics/providers/stripe?start_date=2025-11-01&end_date=2025-11-30";
    const first = await services.get(path);
    expect(first.body.by_status.APPROVED).toBeGreaterThan(2_500);
    expect(first.body.round_amounts).toMatchObject([
      { currency: "COP" },
      { currency: "EUR" },
      { currency: "USD", suspect: true },
    ]);
    expect(first.headers.get("cache-control")).toBe("private, max-age=5");
    const etag = first.headers.get("etag") as string;
    const again = await services.request("GET", path, undefined, { "if-none-match": etag });
    expect(again).toMatchObject({ status: 304, body: "" });
    expect((await services.get("/api/v1/metrics/summary?start_date=2026-02-30")).status).toBe(400);
    expect((await services.get("/api/v1/metrics/providers/unheard-of")).body.events).toBe(0);
  });
});

test("health names what helps and what hinders", async () => {
  expect(await services.get("/api/v1/health")).toMatchObject({
    status: 200,
    body: { status: "healthy", checks: { database: "up", rabbitmq: "up", ai: "off", disk: "up" } },
  });
});

describe("understood once more", () => {
  let pool: Pool;
  beforeAll(() => {
    pool = createServicePool(services.settings, {
      ...{ role: "payments_ingest", schema: "ingest", max: 4, applicationName: "test", bulk: true },
    });
  });
  afterAll(() => pool?.end());

  /** Understands `{ shop: { … } }`, which no rule does, as these tests want it. */
  const shop = (of: (order: Order) => Partial<Normalised>): Normaliser => ({
    normalise: async (bodies) =>
      bodies.map(({ raw, hint }) => {
        const orders = "value" in raw ? (raw.value as { shop?: Order[] }).shop : undefined;
        return orders === undefined
          ? normaliseBody(raw, { hint })
          : orders.map((order, index) => ({ ...understood(order), index, ...of(order) }));
      }),
  });
  interface Order {
    readonly no: string;
    readonly sum: string;
  }
  const understood = ({ no, sum }: Order): Normalised => ({
    ...{
      index: 0,
      provider: "shop",
      rule: "shop/order",
      method: "rule",
      confidence: 0.9,
      status: "APPROVED",
    },
    ...{ unprocessed: null, reason: null, undoes: null, amount: sum, amountMinor: 100n, currency: "EUR" },
    ...{ merchant: null, country: null, occurredAt: new Date("2025-11-20T10:00:00Z"), providerEventId: no },
    ...{ paymentRef: no, dedupKey: no, metadata: { no }, provenance: {} },
  });
  const bodiesOf = (...answers: { body: { id: string } }[]) => answers.map(({ body }) => body.id);

  test("an event is what rules say now; keys, payments and figures follow, and what it was is kept", async () => {
    const sent = await post({ shop: [{ no: "1", sum: "1.00" }] });
    const twin = await post({ shop: [{ no: "1", sum: "1.00" }], again: true });
    const three = await post({ shop: ["2", "3", "1"].map((no) => ({ no, sum: "1.00" })) });
    const bodies = bodiesOf(sent, twin, three);
    const plain = shop(() => ({}));

    const foreseen = await foresee(pool, plain, bodies);
    expect(foreseen.map(({ before, after }) => [before?.status, after.status])).toEqual([
      ["UNPROCESSED", "APPROVED"],
      ["UNPROCESSED", "APPROVED"],
      ["UNPROCESSED", "APPROVED"],
      [undefined, "APPROVED"],
    ]);
    expect((await read(sent.body.id)).status_category).toBe("UNPROCESSED");

    expect(await renormalise(pool, plain, bodies, "a test")).toHaveLength(4);
    expect(await read(sent.body.id)).toMatchObject({
      status_category: "APPROVED",
      repeat_of: null,
      payment_status: "APPROVED",
    });
    expect(await read(twin.body.id)).toMatchObject({ status_category: "APPROVED", repeat_of: sent.body.id });
    // The third order of the third body is the first one's: it is no event of its own.
    const listed = (await services.get("/api/v1/events?provider=shop")).body.items;
    expect(listed.map(({ payment_ref }: { payment_ref: string }) => payment_ref).sort()).toEqual([
      "1",
      "1",
      "2",
      "3",
    ]);
    expect(await services.differences("ingest")).toEqual([]);
    expect(await renormalise(pool, plain, bodies, "a test")).toEqual([]);

    const renamed = shop(({ no }) => ({
      dedupKey: `new ${no}`,
      paymentRef: `p${no}`,
      status: "DECLINED",
      reason: "LIMIT_EXCEEDED",
    }));
    await renormalise(pool, renamed, bodiesOf(sent), "another test");
    expect(await read(sent.body.id)).toMatchObject({
      status_category: "DECLINED",
      payment_ref: "p1",
      repeat_of: null,
    });
    expect(await read(twin.body.id)).toMatchObject({ status_category: "DECLINED", repeat_of: sent.body.id });
    expect(await services.differences("ingest")).toEqual([]);
    const former = await services.owner<{ cause: string; status: string }>(
      "SELECT cause, was ->> 'status' AS status FROM ingest.former_event WHERE event_id = $1 ORDER BY changed_at",
      [sent.body.id],
    );
    expect(former).toEqual([
      { cause: "a test", status: "UNPROCESSED" },
      { cause: "another test", status: "APPROVED" },
    ]);
  });

  test("payments rules apply counts what rules and rates change, and changes it; twice it changes nothing", async () => {
    const { status, body } = await post(charge({ currency: "pen" }));
    expect(status).toBe(201);
    const file = join(await mkdtemp(join(tmpdir(), "fx-")), "rates.csv");
    await writeFile(file, "currency,day,usd,source\nPEN,2025-11-01,0.25,a test\n");
    const loaded = await payments(services.settings, "fx", "load", file, "--json");
    expect(JSON.parse(loaded.stdout)).toEqual({ rates: 1, currencies: 1 });
    const dry = await applyAll(pool, ruleNormaliser, { dryRun: true });
    // Two shop bodies are of a rule that there is no more.
    expect(dry.by).toContainEqual({ provider: "stripe", from: "APPROVED", to: "APPROVED", events: 1 });
    expect((await read(body.id)).amount_usd).toBeNull();
    const applied = await applyAll(pool, ruleNormaliser, { dryRun: false });
    expect(applied.changed).toBe(dry.changed);
    expect(await read(body.id)).toMatchObject({ amount_usd: "12.50", fx: { usd: "0.25", source: "a test" } });
    expect(await applyAll(pool, ruleNormaliser, { dryRun: false })).toMatchObject({ changed: 0 });
    expect(await services.differences("ingest")).toEqual([]);
  });

  test("what nobody understands is tried three times, then it is a dead letter; a replay tries it again", async () => {
    const { id } = (await post({ puzzle: 1 })).body;
    const others = "UPDATE ingest.event SET retry_at = NULL WHERE retry_at IS NOT NULL AND id <> $1";
    await services.owner(others, [id]);
    const due =
      "UPDATE ingest.event SET retry_at = now() WHERE retry_at IS NOT NULL AND id = $1 RETURNING attempts";
    const outbox = new Outbox({
      schema: "ingest",
      pool,
      publisher: services.publisher,
      logger: silentLogger,
    });
    const metrics = register(createRegistry(), ingestMetrics);
    const chore = retryChore(pool, { normaliser: ruleNormaliser, metrics, outbox: () => outbox, everyMs: 1 });
    for (const attempts of [0, 1, 2]) {
      expect(await services.owner(due, [id])).toEqual([{ attempts }]);
      await chore.run();
    }
    expect(await services.owner(due, [id])).toEqual([]);
    const letters = () => drain(services.settings, "ingest.dlq");
    const letter = await eventually("a dead letter", async () => (await letters())[0]);
    expect(JSON.parse(letter?.content.toString() ?? "")).toMatchObject({ event_id: id });
    expect(letter?.properties.headers).toMatchObject({
      "x-error-code": "INGEST_UNPROCESSED",
      traceparent: expect.stringContaining(hexOf(id)),
    });
    const told = { body: { event_id: id }, messageId: newId(), traceId: "", attempt: 1 };
    const event = (more: object = {}) => ({ ...told, ...more });
    const lost = event({ body: { event_id: newId() } });
    const forecast = forecastRetry(async () => ruleNormaliser).forecast;
    expect((await forecast(pool, [event(), lost])).map(({ kind }) => kind)).toEqual([
      "would fail",
      "would fail",
    ]);
    const solved: Normaliser = {
      normalise: async (bodies) =>
        bodies.map(() => [{ ...understood({ no: "9", sum: "1.00" }), dedupKey: null }]),
    };
    expect(await forecastRetry(async () => solved).forecast(pool, [event()])).toMatchObject([
      { kind: "would apply" },
    ]);
    const handle = onRetryRequested(() => pool, solved);
    expect(await handle(pool, [event(), lost])).toMatchObject([{ kind: "done" }, { kind: "retry" }]);
    expect(await forecast(pool, [event()])).toMatchObject([{ kind: "already applied" }]);
    await outbox.stop();
  });
});

test("the books agree", async () => {
  expect(await services.differences("ingest")).toEqual([]);
});
