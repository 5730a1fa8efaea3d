import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { eventually } from "../../tests/harness/eventually.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsCreated } from "../contracts/payments_created.js";
import { createdEvent } from "./events.js";
import { enterPayments } from "./store/new_payment.js";

let services: Services;
beforeAll(async () => {
  services = await Services.create({}, "payments");
  await services.start();
});
afterAll(() => services?.close());

const order = (more: object = {}) => ({
  amount: 100.5,
  currency: "USD",
  method: "credit_card",
  customer_id: `customer-${randomUUID()}`,
  ...more,
});

const post = (body: object, key?: string) =>
  services.request("POST", "/payments", body, key === undefined ? {} : { "idempotency-key": key });

/** How many payments the customer of an order has. */
const madeFor = async ({ customer_id }: { customer_id: string }) =>
  (await services.get(`/payments?customer_id=${customer_id}`)).body.items.length;

describe("POST /payments", () => {
  test("makes a payment and announces it", async () => {
    const created = await services.watch(paymentsCreated);
    const asked = order();
    const { status, body, headers } = await services.post("/payments", asked);
    expect(status).toBe(201);
    expect(body).toEqual({
      payment_id: expect.stringMatching(/^[0-9a-f-]{14}7/),
      id: body.payment_id,
      amount: "100.50",
      currency: "USD",
      status: "PENDING",
      reason: null,
      refunded: "0.00",
      method: "credit_card",
      customer_id: asked.customer_id,
      reference: null,
      trace_id: headers.get("traceparent")?.slice(3, 35),
      created_at: expect.any(String),
      updated_at: body.created_at,
    });
    expect(headers.get("location")).toBe(`/payments/${body.id}`);
    expect((await services.get(`/payments/${body.id}`)).body).toEqual(body);
    const [event] = await eventually("announced", async () => {
      const seen = await created();
      return seen.length > 0 && seen;
    });
    const { id, amount, currency, method, customer_id, trace_id, created_at } = body;
    expect(event?.body).toEqual({
      id,
      amount,
      currency,
      status: "PENDING",
      method,
      customer_id,
      trace_id,
      created_at,
    });
    await eventually("nothing left in the outbox", async () => {
      const [row] = await services.owner<{ count: number }>("SELECT count(*) FROM saga.outbox");
      return Number(row?.count) === 0;
    });
  });

  test("gives a key one effect, and its answer again, byte for byte", async () => {
    const asked = order();
    const first = await post(asked, "k-1");
    expect(first.status).toBe(201);
    const again = await post(asked, "k-1");
    expect([again.status, again.body, again.headers.get("location")]).toEqual([
      201,
      first.body,
      first.headers.get("location"),
    ]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await post({ ...asked, amount: 1 }, "k-1")).toMatchObject({
      status: 422,
      body: { code: "IDEMPOTENCY_MISMATCH" },
    });
    expect(await post(asked, "a, b")).toMatchObject({
      status: 400,
      body: { code: "IDEMPOTENCY_KEY_INVALID" },
    });
    expect(await madeFor(asked)).toBe(1);
  });

  test("gives a customer's reference one payment; another one under it is refused", async () => {
    const asked = order({ reference: "invoice 7" });
    const first = await post(asked);
    const again = await post({ ...asked, amount: "100.50" }, "another-key");
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    for (const other of [{ amount: 100.51 }, { currency: "EUR" }, { method: "transfer" }]) {
      expect(await post({ ...asked, ...other })).toMatchObject({
        status: 409,
        body: { code: "PAYMENT_REFERENCE_USED", errors: [{ pointer: "#/reference" }] },
      });
    }
    expect((await post({ ...asked, customer_id: "other" })).body.id).not.toBe(first.body.id);
    expect(await madeFor(asked)).toBe(1);
  });

  test("keeps a key that met a used reference, in spite of whoever raced for it", async () => {
    const first = await post(order({ reference: "known" }));
    const asked = { ...order(), customer_id: first.body.customer_id, reference: "known" };
    const raced = await Promise.all([
      ...Array.from({ length: 10 }, () => post(asked, "met")),
      ...Array.from({ length: 10 }, () => post({ ...asked, reference: "unknown" }, "met-not")),
      ...Array.from({ length: 10 }, () => post(asked, "met-not")),
    ]);
    const [met, one, other] = [raced.slice(0, 10), raced.slice(10, 20), raced.slice(20)];
    expect(met.map(({ status, body }) => [status, body.id])).toEqual(Array(10).fill([201, first.body.id]));
    // Under one key one of two requests is right, whichever came first.
    expect([one, other].map((all) => [...new Set(all.map(({ status }) => status))]).sort()).toEqual([
      [201],
      [422],
    ]);
    const again = await post(asked, "met");
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    for (const another of [{ amount: 7 }, { reference: "new" }, { reference: undefined }]) {
      expect(await post({ ...asked, ...another }, "met")).toMatchObject({
        status: 422,
        body: { code: "IDEMPOTENCY_MISMATCH" },
      });
    }
    expect(await madeFor(asked)).toBe(one[0]?.status === 201 ? 2 : 1);
  });

  test("keeps no key that was refused for its reference", async () => {
    const first = await post(order({ reference: "refused" }));
    const asked = { ...order({ amount: 7 }), customer_id: first.body.customer_id };
    expect((await post({ ...asked, reference: "refused" }, "free")).status).toBe(409);
    expect((await post({ ...asked, reference: "another" }, "free")).status).toBe(201);
  });

  test("without both makes a payment each time", async () => {
    const asked = order();
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(asked)));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(50);
  });

  test.each([
    ["a key", () => order(), "race"],
    ["a reference", () => order({ reference: "race" }), undefined],
    ["both", () => order({ reference: "race both" }), "race-both"],
  ])("is raced for by 60 callers with %s: one payment, one answer", async (_, make, key) => {
    const asked = make();
    const answers = await Promise.all(Array.from({ length: 60 }, () => post(asked, key)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("idempotent-replayed") === null)).toHaveLength(1);
    expect(await madeFor(asked)).toBe(1);
  });

  test("of many kinds at once fails nobody for another's fault", async () => {
    const taken = order({ reference: "taken" });
    await post(taken);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        [
          () => post(order()),
          () => post(order({ amount: -1 })),
          () => post({ ...taken, amount: 7 }),
          () => post(order({ reference: "mine" }), `k-${randomUUID()}`),
        ][i % 4]?.(),
      ),
    );
    expect(answers.map((answer) => answer?.status)).toEqual(
      Array.from({ length: 10 }, () => [201, 422, 409, 201]).flat(),
    );
  });
});

describe("a key in the hands of a process that has frozen", () => {
  test("is 409 after two seconds, and delays nobody else", async () => {
    const asked = order({ reference: "frozen" });
    const frozen = createServicePool(services.settings, {
      role: "payments_saga",
      schema: "saga",
      max: 1,
      applicationName: "frozen",
    });
    const client = await frozen.connect();
    try {
      await client.query("SET idle_in_transaction_session_timeout = 0; BEGIN");
      const held = {
        ...asked,
        paymentId: newId(),
        customerId: asked.customer_id,
        reference: "frozen",
        amount: 1n,
      };
      const first = { ...held, traceId: "0".repeat(32), createdAt: new Date() };
      const event = createdEvent(first, { messageId: newId() });
      await enterPayments(client, [{ order: first, event, key: undefined }], 60);
      const others = async () => {
        const tookMs: number[] = [];
        for (let i = 0; i < 40; i++) {
          const since = performance.now();
          expect((await post(order(), `k-${randomUUID()}`)).status).toBe(201);
          tookMs.push(performance.now() - since);
        }
        return tookMs.sort((a, b) => a - b)[20] as number;
      };
      const alone = await others();
      const blocked = Promise.all(Array.from({ length: 5 }, () => post(asked)));
      const beside = await others();
      expect(beside).toBeLessThan(alone + 20);
      const answers = (await blocked).map(({ status, body, headers }) => {
        return [status, body.code, body.retryable, headers.get("retry-after")];
      });
      expect(answers).toEqual(Array(5).fill([409, "IDEMPOTENCY_IN_FLIGHT", true, "1"]));
    } finally {
      await client.query("ROLLBACK");
      client.release();
      await frozen.end();
    }
    // It died: nothing of it is left.
    expect((await post(asked)).status).toBe(201);
  });
});

describe("bad input is refused with a problem, and makes no payment", () => {
  const json = (fields: string) => `{"currency": "USD", "method": "card", "customer_id": "bad", ${fields}}`;
  const long = "x".repeat(256);
  test.each<readonly [string, number, string]>([
    [json('"amount": -1'), 422, "AMOUNT_INVALID"],
    [json('"amount": 0'), 422, "AMOUNT_INVALID"],
    [json('"amount": "0.00"'), 422, "AMOUNT_INVALID"],
    [json('"amount": 1.001'), 422, "AMOUNT_INVALID"],
    [json('"amount": 1e3'), 422, "AMOUNT_INVALID"],
    [json('"amount": "10,00"'), 422, "AMOUNT_INVALID"],
    [json('"amount": "NaN"'), 422, "AMOUNT_INVALID"],
    [json('"amount": " 1"'), 422, "AMOUNT_INVALID"],
    [json('"amount": "+1"'), 422, "AMOUNT_INVALID"],
    [json('"amount": "１"'), 422, "AMOUNT_INVALID"],
    [json('"amount": 92233720368547758.08'), 422, "AMOUNT_INVALID"],
    [json('"amount": 99999999999999999999'), 422, "AMOUNT_INVALID"],
    [json(`"amount": "${"9".repeat(65)}"`), 400, "REQUEST_INVALID"],
    [json('"amount": NaN'), 400, "MESSAGE_MALFORMED"],
    [json('"amount": ""'), 400, "REQUEST_INVALID"],
    [json('"amount": null'), 400, "REQUEST_INVALID"],
    [json('"amount": [1]'), 400, "REQUEST_INVALID"],
    [json('"amount": 1, "more": 1'), 400, "REQUEST_INVALID"],
    [json('"amount": 1, "reference": ""'), 400, "REQUEST_INVALID"],
    [json(`"amount": 1, "reference": "${long}"`), 400, "REQUEST_INVALID"],
    [json('"amount": 1, "reference": "a\\u0000b"'), 400, "REQUEST_INVALID"],
    [json('"amount": 1, "reference": "a\\ud800b"'), 400, "REQUEST_INVALID"],
    [json('"amount": 1, "amount": 2'), 400, "MESSAGE_MALFORMED"],
    [json('"amount": 1, "card_number": "4111111111111111"'), 422, "CARD_DATA_REFUSED"],
    ['{"amount": 1, "currency": "usd", "method": "card", "customer_id": "bad"}', 400, "REQUEST_INVALID"],
    ['{"amount": 1, "currency": "XYZ", "method": "card", "customer_id": "bad"}', 422, "CURRENCY_UNKNOWN"],
    ['{"amount": 1.5, "currency": "JPY", "method": "card", "customer_id": "bad"}', 422, "AMOUNT_INVALID"],
    ['{"amount": 1, "currency": "USD", "method": "", "customer_id": "bad"}', 400, "REQUEST_INVALID"],
    [
      '{"amount": 1, "currency": "USD", "method": "4111 1111 1111 1111", "customer_id": "bad"}',
      422,
      "CARD_DATA_REFUSED",
    ],
    ['{"amount": 1, "currency": "USD", "method": "card", "customer_id": ""}', 400, "REQUEST_INVALID"],
    ['{"amount": 1, "currency": "USD", "method": "card"}', 400, "REQUEST_INVALID"],
    ["[]", 400, "REQUEST_INVALID"],
    ["", 400, "MESSAGE_MALFORMED"],
    ['{"amount": ', 400, "MESSAGE_MALFORMED"],
    [`${"[".repeat(100)}${"]".repeat(100)}`, 400, "MESSAGE_MALFORMED"],
  ])("%s is %i %s", async (body, status, code) => {
    const answer = await services.request("POST", "/payments", body);
    expect(answer).toMatchObject({ status, body: { code, trace_id: expect.any(String), retryable: false } });
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
  });

  test("points at what is wrong", async () => {
    const pointers = async (more: object) =>
      (await post(order(more))).body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(await pointers({ amount: "1.001" })).toEqual(["#/amount"]);
    expect(await pointers({ currency: "XYZ" })).toEqual(["#/currency"]);
    expect(await pointers({ method: "Card", customer_id: "" })).toEqual(["#/method", "#/customer_id"]);
  });

  test("of another type, or too large, is not read", async () => {
    const plain = await services.request("POST", "/payments", "amount=1", { "content-type": "text/plain" });
    expect(plain).toMatchObject({ status: 415, body: { code: "CONTENT_TYPE_UNSUPPORTED" } });
    const large = await services.request(
      "POST",
      "/payments",
      json(`"amount": 1, "more": "${"x".repeat(300_000)}"`),
    );
    expect(large).toMatchObject({ status: 413, body: { code: "MESSAGE_TOO_LARGE" } });
  });

  test("a number beyond 2^53 keeps its digits", async () => {
    const { status, body } = await services.request("POST", "/payments", json('"amount": 90071992547409.93'));
    expect([status, body.amount]).toEqual([201, "90071992547409.93"]);
  });
});

describe("GET", () => {
  test("/payments gives a customer's, newest first, by pages and by status", async () => {
    const asked = order();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.unshift((await post(asked)).body.id);
    }
    const list = async (more: string) =>
      (await services.get(`/payments?customer_id=${asked.customer_id}${more}`)).body;
    const first = await list("&limit=2");
    const second = await list(`&limit=2&cursor=${first.next}`);
    const third = await list(`&limit=2&cursor=${second.next}`);
    const idsOf = (page: { items: { id: string }[] }) => page.items.map(({ id }) => id);
    expect([first, second, third].flatMap(idsOf)).toEqual(ids);
    expect([first.has_more, third.has_more, third.next]).toEqual([true, false, null]);
    expect((await list("&status=PENDING")).items).toHaveLength(5);
    expect((await list("&status=APPROVED")).items).toHaveLength(0);
    expect((await services.get("/payments")).status).toBe(400);
  });

  test("/payments/:id waits no longer than asked, together with all who wait; an unknown one is 404", async () => {
    const { id } = (await post(order())).body;
    const since = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => services.get(`/payments/${id}/?wait_s=0.3`)),
    );
    expect(performance.now() - since).toBeGreaterThan(300);
    expect(answers.every(({ body }) => body.status === "PENDING")).toBe(true);
    for (const path of [newId(), `${newId()}/timeline`]) {
      expect(await services.get(`/payments/${path}`)).toMatchObject({
        status: 404,
        body: { code: "PAYMENT_NOT_FOUND", retryable: false },
      });
    }
    expect((await services.get("/payments/1")).status).toBe(400);
    expect((await services.get(`/payments/${id}?wait_s=31`)).status).toBe(400);
  });

  test("/payments/:id with wait_s is answered with what there is as soon as the process is to end", async () => {
    const { id } = (await post(order())).body;
    const waiting = Array.from({ length: 20 }, () => services.get(`/payments/${id}?wait_s=30`));
    await eventually("all wait", async () => {
      const metrics = (await services.get("/metrics")).body as string;
      return /^payments_http_in_flight (\d+)$/m.exec(metrics)?.[1] === "20";
    });
    const since = performance.now();
    const [answers] = await Promise.all([Promise.all(waiting), services.stop()]);
    // An open connection to a server that is away would take 10 s.
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(answers.map(({ status, body }) => [status, body.status])).toEqual(
      Array(20).fill([200, "PENDING"]),
    );
    await services.start();
  });

  test("/health tells of each dependency", async () => {
    expect((await services.get("/health")).body).toEqual({
      status: "healthy",
      checks: { postgres: "up", rabbitmq: "up" },
      timestamp: expect.any(String),
    });
  });
});
