import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventually } from "../../tests/harness/eventually.js";
import { payments } from "../../tests/harness/process.js";
import { Receiver, status } from "../../tests/harness/receiver.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { walletRefunded } from "../contracts/wallet_refunded.js";
import { walletResponse } from "../contracts/wallet_response.js";

/** Payments alone: what fraud and wallet say is published by the test. */
let services: Services;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.open();
  services = await Services.create(receiver.settings, "payments");
  await services.start();
});
afterAll(async () => {
  await services?.close();
  await receiver?.close();
});

interface Made {
  readonly id: string;
  readonly amount: string;
}

async function made(amount = "10.00", currency = "USD"): Promise<Made> {
  const order = { amount, currency, method: "card", customer_id: "ada", reference: newId() };
  const { status: answered, body } = await services.post("/payments", order);
  expect(answered).toBe(201);
  return { id: body.id, amount };
}

const check = ({ id }: Made, approved = true, messageId?: string) =>
  services.publish(
    paymentsChecked,
    [
      {
        id,
        status: approved ? ("APPROVED" as const) : ("DECLINED" as const),
        reason: approved ? ("approved" as const) : ("fraud_detected" as const),
        checked_at: new Date().toISOString(),
      },
    ],
    messageId,
  );

const answer = ({ id, amount }: Made, reason: "success" | "insufficient_funds" = "success") =>
  services.publish(walletResponse, [
    {
      payment_id: id,
      user_id: "ada",
      status: reason === "success" ? ("APPROVED" as const) : ("DECLINED" as const),
      amount,
      reason,
    },
  ]);

const refund = ({ id }: Made, refunded_total: string) =>
  services.publish(walletRefunded, [
    { payment_id: id, user_id: "ada", refund_id: randomUUID(), amount: "1.00", refunded_total },
  ]);

const stands = (payment: Made, standing: string) =>
  eventually(
    `payment is ${standing}`,
    async () => (await services.get(`/payments/${payment.id}`)).body.status === standing,
  );

const told = ({ id }: Made) => receiver.received.filter(({ body }) => body.data.id === id);

/** Waits until the latest change was told as GET answers it. @returns the types of all that were told. */
async function tells(payment: Made, types: readonly string[]): Promise<void> {
  await eventually(`told of ${types}`, () => told(payment).length >= types.length);
  expect(told(payment).map(({ body }) => body.type)).toEqual(types);
  const latest = told(payment).at(-1)?.body;
  expect(latest.data).toEqual((await services.get(`/payments/${payment.id}`)).body);
  expect(Math.abs(Date.parse(latest.timestamp) - Date.parse(latest.data.updated_at))).toBeLessThan(1_000);
}

test("each end and each refund is told once, as GET answers it at that change", async () => {
  const approved = await made("92233720368547758.07", "EUR");
  await check(approved);
  await stands(approved, "PENDING");
  await eventually("awaits debit", async () => {
    const { steps } = (await services.get(`/payments/${approved.id}/timeline`)).body;
    return steps.at(-1).awaiting === "debit";
  });
  await answer(approved);
  await tells(approved, ["payment.approved"]);
  await refund(approved, "4.00");
  await tells(approved, ["payment.approved", "payment.partially_refunded"]);
  await refund(approved, "5.00");
  await refund(approved, approved.amount);
  const all = [
    "payment.approved",
    "payment.partially_refunded",
    "payment.partially_refunded",
    "payment.refunded",
  ];
  await eventually("told of all", () => told(approved).length === 4);
  expect(
    told(approved)
      .map(({ body }) => body.type)
      .toSorted(),
  ).toEqual(all.toSorted());
  expect(
    told(approved)
      .map(({ body }) => body.data.status)
      .toSorted(),
  ).toEqual(["APPROVED", "PARTIALLY_REFUNDED", "PARTIALLY_REFUNDED", "REFUNDED"]);
  expect(new Set(receiver.ids).size).toBe(4);
  expect(receiver.forged).toEqual([]);
});

test("what was declined, given up or refunded before it was answered is told too", async () => {
  const [fraud, poor, early] = [await made(), await made("100", "JPY"), await made()];
  const messageId = newId();
  await check(fraud, false, messageId);
  await tells(fraud, ["payment.declined"]);
  // Said again it changes nothing.
  await check(fraud, false, messageId);
  await check(fraud, false);

  await check(poor);
  await eventually("awaits debit", async () => {
    const { steps } = (await services.get(`/payments/${poor.id}/timeline`)).body;
    return steps.at(-1).awaiting === "debit";
  });
  await answer(poor, "insufficient_funds");
  await tells(poor, ["payment.declined"]);

  await refund(early, early.amount);
  await tells(early, ["payment.refunded"]);

  const [late] = await services.owner<Made>(
    `INSERT INTO saga.payment (payment_id, customer_id, amount, currency, method, trace_id, created_at, due_at)
     VALUES (ops.uuid_v7(), 'ada', 1000, 'USD', 'card', gen_random_uuid(), now() - interval '1 day', now()) RETURNING payment_id AS id`,
  );
  await tells(late as Made, ["payment.declined"]);
  await refund(late as Made, "10.00");
  await tells(late as Made, ["payment.declined", "payment.refunded"]);
  expect(told(late as Made).at(-1)?.body.data).toMatchObject({
    status: "DECLINED",
    reason: "timed_out",
    refunded: "10.00",
  });
  expect(told(fraud)).toHaveLength(1);
});

test("410 stops them; payments webhooks says so, and resumes them", async () => {
  receiver.answer = status(410);
  const [first, second] = [await made(), await made()];
  await check(first, false);
  await stands(first, "DECLINED");
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await payments(services.settings, "webhooks", ...args);
    expect([code, stderr]).toEqual([0, ""]);
    return stdout;
  };
  await eventually("stopped", async () => JSON.parse(await run("status", "--json")).stopped);
  receiver.answer = status(200);
  await check(second, false);
  await stands(second, "DECLINED");
  expect(JSON.parse(await run("status", "--json"))).toMatchObject({ pending: 2, givenUp: 0 });
  expect(told(second)).toEqual([]);
  expect(await run("status")).toMatch(/pending.*\n.*\n *2 .*yes/);
  expect(await run("resume")).toBe("webhooks are sent again\n");
  await eventually("told of both", () => told(first).length === 2 && told(second).length === 1);
  expect(await run("resume", "--failed")).toBe("webhooks were not stopped; 0 begin anew\n");
});

test("an audit names what nobody has looked after", async () => {
  await services.stop();
  await services.owner(
    "INSERT INTO saga.webhook (type, data, expires_at) VALUES ('payment.approved', '{}', now() - interval '25 hours')",
  );
  expect(await services.differences("saga")).toMatchObject([
    { what: expect.stringMatching(/^webhook /), found: "pending after 0 attempt(s)" },
  ]);
  await services.owner("DELETE FROM saga.webhook WHERE data = '{}'");
});

test("where no webhook is set none is entered", async () => {
  const silent = await Services.create({}, "payments");
  try {
    await silent.start();
    const order = { amount: "1.00", currency: "USD", method: "card", customer_id: "ada" };
    const { id } = (await silent.post("/payments", order)).body;
    await silent.publish(paymentsChecked, [
      { id, status: "DECLINED", reason: "fraud_detected", checked_at: new Date().toISOString() },
    ]);
    await eventually(
      "declined",
      async () => (await silent.get(`/payments/${id}`)).body.status === "DECLINED",
    );
    expect(await silent.owner("SELECT FROM saga.webhook")).toEqual([]);
  } finally {
    await silent.close();
  }
});
