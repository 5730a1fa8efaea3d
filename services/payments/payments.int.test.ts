import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsCreated } from "../contracts/payments_created.js";

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
});
