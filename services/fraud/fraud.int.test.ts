import { afterAll, beforeAll, expect, test } from "vitest";
import { derivedId, newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import { take } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { type Seen, Services } from "../../tests/harness/service.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { paymentsCreated } from "../contracts/payments_created.js";

type Checked = ReturnType<typeof paymentsChecked.schema.parse>;

let services: Services;
let checked: () => Promise<Seen<Checked>[]>;
beforeAll(async () => {
  services = await Services.create({ FRAUD_BLOCKED_CUSTOMERS: "mallory, eve" }, "fraud");
  await services.start();
  checked = await services.watch(paymentsChecked);
});
afterAll(() => services?.close());

const TRACE = "0123456789abcdef0123456789abcdef";
const created = (changes: Partial<ReturnType<typeof paymentsCreated.schema.parse>> = {}) => ({
  id: newId(),
  amount: "100.50",
  currency: "USD",
  status: "PENDING" as const,
  method: "credit_card",
  customer_id: "customer-123",
  created_at: new Date().toISOString(),
  ...changes,
});

/** Publishes a payment. @returns the answers to it, once there are so many. */
async function answersTo(
  body: ReturnType<typeof created>,
  options: { readonly messageId: string; readonly repeat?: boolean },
  count = 1,
): Promise<Seen<Checked>[]> {
  await services.send([eventMessage(paymentsCreated, body, { traceId: TRACE, ...options })]);
  const answers = async () => (await checked()).filter((seen) => seen.body.id === body.id);
  await eventually("answered", async () => (await answers()).length >= count);
  return answers();
}

test("it needs RabbitMQ alone, and says that it is well", async () => {
  expect((await services.get("/readyz")).body).toEqual({ ready: true, dependencies: { rabbitmq: "up" } });
  const { body } = await services.get("/health");
  expect(body).toEqual({
    status: "healthy",
    checks: { rabbitmq: "up" },
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

test("the contract's payment is approved, under its trace, as the contract says", async () => {
  const payment = created();
  const [answer] = await answersTo(payment, { messageId: newId() });
  expect(answer?.body).toEqual({
    id: payment.id,
    trace_id: TRACE,
    status: "APPROVED",
    reason: "approved",
    checked_at: expect.stringMatching(/^\d{4}-.*Z$/),
    score: 0,
    reasons: [],
    customer_id: "customer-123",
  });
  expect(paymentsChecked.schema.safeParse(answer?.body).success).toBe(true);
  expect(answer?.message.properties).toMatchObject({
    type: "payments.checked",
    headers: { traceparent: expect.stringContaining(TRACE), key: payment.id },
  });
});

test("too much money and blocked customers are declined", async () => {
  const [large] = await answersTo(created({ amount: "10000.00" }), { messageId: newId() });
  const [blocked] = await answersTo(created({ customer_id: "eve" }), { messageId: newId() });
  expect(large?.body).toMatchObject({ status: "DECLINED", reason: "fraud_detected", score: 1 });
  expect(blocked?.body).toMatchObject({ status: "DECLINED", reasons: ["blocked_customer"] });
});

test("an event that comes again gets the same answer again, one that is said once more a repeated one", async () => {
  const payment = created({ amount: "9000.00" });
  const messageId = newId();
  await answersTo(payment, { messageId });
  const [first, second] = await answersTo(payment, { messageId }, 2);
  const [, , third] = await answersTo(payment, { messageId: newId(), repeat: true }, 3);
  for (const each of [first, second]) {
    expect(each?.message.properties.messageId).toBe(derivedId(messageId, paymentsChecked.name));
    expect(each?.message.properties.headers).not.toHaveProperty("x-repeat");
  }
  const verdict = ({ body: { checked_at, ...rest } }: Seen<Checked>) => rest;
  expect(verdict(second as Seen<Checked>)).toEqual(verdict(first as Seen<Checked>));
  expect(third?.message.properties.headers).toMatchObject({ "x-repeat": true });
});

test("an amount that is none of its currency becomes a dead letter, and its neighbours are checked", async () => {
  const bodies = [created(), created({ amount: "1.005" }), created()];
  await services.publish(paymentsCreated, bodies);
  const letter = await take(services.settings, "fraud.dlq");
  expect(letter.properties.headers).toMatchObject({ "x-error-code": "AMOUNT_INVALID", "x-attempts": 1 });
  const ids = async () => new Set((await checked()).map(({ body }) => body.id));
  await eventually("neighbours are checked", async () => {
    const seen = await ids();
    return [0, 2].every((i) => seen.has(bodies[i]?.id as string));
  });
});

test("it counts its verdicts", async () => {
  const { body } = await services.get("/metrics");
  expect(body).toMatch(/^fraud_verdicts_total\{status="DECLINED"\} 2$/m);
});
