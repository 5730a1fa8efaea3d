import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { z } from "zod";
import { newId } from "../../lib/domain/ids.js";
import { transaction } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { type Seen, Services } from "../../tests/harness/service.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { paymentsCreated } from "../contracts/payments_created.js";
import { paymentsExpired } from "../contracts/payments_expired.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";
import { walletRefunded } from "../contracts/wallet_refunded.js";
import { walletResponse } from "../contracts/wallet_response.js";
import { applyTransitions } from "./store/transition.js";

/** Payments alone: what fraud and wallet say is published by the test. */
let services: Services;
const gone = { id: newId(), customer: "gone" };
let asked: () => Promise<Seen<z.output<typeof walletRefundRequested.schema>>[]>;
beforeAll(async () => {
  services = await Services.create(
    { PAYMENTS_RESEND_AFTER_S: "600", PAYMENTS_GIVE_UP_S: "3600" },
    "payments",
  );
  await services.start();
  // Four attempts take 14 seconds; the last test but one looks.
  asked = await services.watch(walletRefundRequested);
  await Promise.all([check([gone]), answer(gone)]);
});
afterAll(() => services?.close());

interface Made {
  readonly id: string;
  readonly customer: string;
}

async function made(amount = "10.00", currency = "USD"): Promise<Made> {
  const customer = `customer-${randomUUID()}`;
  const order = { amount, currency, method: "card", customer_id: customer };
  const { status, body } = await services.post("/payments", order);
  expect(status).toBe(201);
  return { id: body.id, customer };
}

const check = (payments: readonly Made[], status: "APPROVED" | "DECLINED" = "APPROVED", messageId?: string) =>
  services.publish(
    paymentsChecked,
    payments.map(({ id }) => ({
      id,
      status,
      reason: status === "APPROVED" ? ("approved" as const) : ("fraud_detected" as const),
      checked_at: new Date().toISOString(),
    })),
    messageId,
  );

const answer = (
  { id, customer }: Made,
  reason: "success" | "insufficient_funds" | "unknown_wallet" | "cancelled" = "success",
  amount = "10.00",
) =>
  services.publish(walletResponse, [
    {
      payment_id: id,
      user_id: customer,
      status: reason === "success" ? ("APPROVED" as const) : ("DECLINED" as const),
      amount,
      reason,
    },
  ]);

const refund = ({ id, customer }: Made, refunded_total: string) =>
  services.publish(walletRefunded, [
    { payment_id: id, user_id: customer, refund_id: randomUUID(), amount: "1.00", refunded_total },
  ]);

async function is(payment: Made, standing: object): Promise<void> {
  await eventually(`payment is ${JSON.stringify(standing)}`, async () => {
    const { body } = await services.get(`/payments/${payment.id}`);
    return Object.entries(standing).every(([name, value]) => body[name] === value);
  });
}

const awaitsDebit = (payment: Made) =>
  eventually("checked", async () => (await timeline(payment)).at(-1)?.awaiting === "debit");

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
const timeline = async ({ id }: Made): Promise<any[]> =>
  (await services.get(`/payments/${id}/timeline`)).body.steps;

const illegal = ({ id }: Made) =>
  services
    .owner<{ reason: string }>(
      "SELECT reason FROM saga.illegal_transition WHERE subject_id = $1 ORDER BY recorded_at",
      [id],
    )
    .then((rows) => rows.map(({ reason }) => reason));

const recorded = (payment: Made, ...reasons: string[]) =>
  eventually(`recorded ${reasons}`, async () => (await illegal(payment)).join() === reasons.join());

describe("a payment", () => {
  test("is checked, debited, approved and refunded, each step told", async () => {
    const debits = await services.watch(walletDebitRequested);
    const payment = await made();
    await check([payment]);
    await awaitsDebit(payment);
    const [debit] = await eventually("the debit", async () => {
      const seen = (await debits()).filter(({ body }) => body.payment_id === payment.id);
      return seen.length > 0 && seen;
    });
    const { body } = await services.get(`/payments/${payment.id}`);
    expect(debit?.body).toEqual({
      payment_id: payment.id,
      user_id: payment.customer,
      amount: "10.00",
      currency: "USD",
      reason: "payment_processing",
      trace_id: body.trace_id,
    });
    const waiting = services.get(`/payments/${payment.id}?wait_s=20`);
    await answer(payment);
    expect((await waiting).body).toMatchObject({ status: "APPROVED", reason: null });
    await refund(payment, "4.00");
    await is(payment, { status: "PARTIALLY_REFUNDED", refunded: "4.00" });
    await refund(payment, "10.00");
    await is(payment, { status: "REFUNDED", refunded: "10.00" });
    await refund(payment, "7.00");
    await recorded(payment, "no more refunded than is known");
    expect((await timeline(payment)).map(({ status, awaiting, event }) => [event, status, awaiting])).toEqual(
      [
        ["payments.created", "PENDING", "check"],
        ["payments.checked", "PENDING", "debit"],
        ["wallet.response", "APPROVED", null],
        ["wallet.refunded", "PARTIALLY_REFUNDED", null],
        ["wallet.refunded", "REFUNDED", null],
      ],
    );
  });

  test("is declined by fraud, or by the wallet with its reason", async () => {
    const [fraud, poor, nobody] = [await made(), await made(), await made()];
    await check([fraud], "DECLINED");
    await is(fraud, { status: "DECLINED", reason: "fraud_detected" });
    await check([poor, nobody]);
    await awaitsDebit(poor);
    await awaitsDebit(nobody);
    await answer(poor, "insufficient_funds");
    await answer(nobody, "unknown_wallet");
    await is(poor, { status: "DECLINED", reason: "insufficient_funds" });
    await is(nobody, { status: "DECLINED", reason: "unknown_wallet" });
    const asked = await services.watch(walletRefundRequested);
    await answer(poor);
    await eventually("asked back", async () => {
      const seen = (await asked()).filter(({ body }) => body.payment_id === poor.id);
      return seen.length === 1 && seen[0]?.body.reason === "payment_declined";
    });
    await recorded(poor, "debited after it was DECLINED");
    await check([fraud]);
    await recorded(fraud, "approved by a check after another one");
    await is(fraud, { status: "DECLINED" });
  });

  test.each([
    ["10.00", "USD", "1000"],
    ["1000.00", "USD", "10.0000"],
    ["10.000", "JOD", "100.00"],
    ["1000", "JPY", "10.00"],
  ])("of %s %s takes no answer for %s, which has the same digits", async (amount, currency, other) => {
    const payment = await made(amount, currency);
    await check([payment]);
    await awaitsDebit(payment);
    await answer(payment, "success", other);
    await recorded(payment, "an answer for another amount");
    await answer(payment, "success", amount);
    await is(payment, { status: "APPROVED" });
  });

  test("takes no answer before its check, for another amount or another customer", async () => {
    const payment = await made();
    await answer(payment);
    await recorded(payment, "debited before its check");
    await check([payment]);
    await awaitsDebit(payment);
    await answer(payment, "success", "10.01");
    await answer({ ...payment, customer: "eve" });
    await eventually("all recorded", async () => (await illegal(payment)).length === 3);
    expect((await illegal(payment)).slice(1).sort()).toEqual([
      "an answer for another amount",
      "an answer for another customer",
    ]);
    // Fewer digits than the currency has are the same amount.
    await answer(payment, "success", "10");
    await is(payment, { status: "APPROVED" });
  });

  test("that is checked twice by one message asks for one debit, under one id", async () => {
    const debits = await services.watch(walletDebitRequested);
    const payment = await made();
    const message = newId();
    await check([payment], "APPROVED", message);
    await awaitsDebit(payment);
    await check([payment, payment], "APPROVED", message);
    const seen = await eventually("three requests", async () => {
      const all = (await debits()).filter(({ body }) => body.payment_id === payment.id);
      return all.length === 3 && all;
    });
    expect(new Set(seen.map(({ message: { properties } }) => properties.messageId)).size).toBe(1);
    // After a crash nobody may have heard the first: observers count what comes again with the same message.
    expect(seen.filter(({ message: { properties } }) => properties.headers?.["x-repeat"])).toEqual([]);
    expect(await illegal(payment)).toEqual([]);
  });

  test("whose refund is told before the debit is refunded, and the debit recorded", async () => {
    const payment = await made();
    await check([payment]);
    await awaitsDebit(payment);
    await refund(payment, "10.00");
    await is(payment, { status: "REFUNDED" });
    await answer(payment);
    await recorded(payment, "debited after it was REFUNDED");
  });
});

describe("an overdue payment", () => {
  /** As if its time had come, so long after it was made. */
  const age = ({ id }: Made, seconds: number) =>
    services.owner(`
      BEGIN;
      ALTER TABLE saga.payment DISABLE TRIGGER payment_order_final;
      UPDATE saga.payment SET due_at = now(), created_at = created_at - make_interval(secs => ${seconds})
      WHERE payment_id = '${id}';
      ALTER TABLE saga.payment ENABLE TRIGGER payment_order_final;
      COMMIT`);

  test("has its command sent again as a new message, later each time", async () => {
    const created = await services.watch(paymentsCreated);
    const debits = await services.watch(walletDebitRequested);
    const [unchecked, undebited] = [await made(), await made()];
    await check([undebited]);
    await awaitsDebit(undebited);
    await age(unchecked, 0);
    await age(undebited, 0);
    const again = async () =>
      [...(await created()), ...(await debits())].filter(
        ({ message: { properties } }) => properties.headers?.["x-repeat"] === true,
      );
    await eventually("both", async () => (await again()).length === 2);
    const seen = await again();
    expect(seen.map(({ message: { properties } }) => properties.type).sort()).toEqual([
      "payments.created",
      "wallet.debit.requested",
    ]);
    const [{ waits } = { waits: 0 }] = await services.owner<{ waits: number }>(
      "SELECT round(extract(epoch FROM due_at - now()) / 60)::int AS waits FROM saga.payment WHERE payment_id = $1",
      [unchecked.id],
    );
    expect(waits).toBe(20);
    await answer(undebited);
    await is(undebited, { status: "APPROVED" });
  });

  test("is given up in the end, and a debit that comes all the same is asked back", async () => {
    const expired = await services.watch(paymentsExpired);
    const refunds = await services.watch(walletRefundRequested);
    const payment = await made();
    await check([payment]);
    await awaitsDebit(payment);
    await age(payment, 3_600);
    await is(payment, { status: "DECLINED", reason: "timed_out" });
    await eventually("told", async () => (await expired()).length === 1 && (await refunds()).length === 1);
    expect((await refunds())[0]?.body).toMatchObject({ payment_id: payment.id, reason: "timed_out" });
    await answer(payment);
    await recorded(payment, "debited after it was DECLINED");
    await refund(payment, "10.00");
    await is(payment, { status: "DECLINED", reason: "timed_out", refunded: "10.00" });
  });

  test("that is checked after its sweeper's transaction began is given up after that, by the times of its steps too", async () => {
    const payment = await made();
    const role = { role: "payments_saga", schema: "saga", max: 1, applicationName: "sweeper" };
    const pool = createServicePool(services.settings, role);
    onTestFinished(() => pool.end());
    await transaction(pool, async (tx) => {
      await tx.query("SET LOCAL idle_in_transaction_session_timeout = 0");
      await check([payment]);
      await awaitsDebit(payment);
      const from = { state: "PENDING", awaiting: "debit", refunded: 0n } as const;
      const to = { state: "DECLINED", awaiting: null, reason: "timed_out", refunded: 0n } as const;
      const step = { event: paymentsExpired.name, messageId: newId(), traceId: newId().replaceAll("-", "") };
      const anyAmount = { amount: null, minorDigits: null };
      const expiry = { paymentId: payment.id, from, to, ...anyAmount, customerId: null, ...step };
      expect((await applyTransitions(tx, [expiry], { webhook: false })).size).toBe(1);
    });
    expect((await timeline(payment)).map(({ awaiting }) => awaiting)).toEqual(["check", "debit", null]);
  });
});

test("a payment that nobody knows: its check becomes a dead letter, its debit is asked back", async () => {
  const [refundAsked] = await eventually(
    "asked back",
    async () => {
      const seen = (await asked()).filter(({ body }) => body.payment_id === gone.id);
      return seen.length > 0 && seen;
    },
    { withinMs: 30_000 },
  );
  expect(refundAsked?.body).toMatchObject({
    payment_id: gone.id,
    user_id: "gone",
    reason: "unknown_payment",
  });
  const letters = await eventually("the letter", async () => {
    const all = await drain(services.settings, "payments.dlq");
    return all.length > 0 && all;
  });
  expect(letters.map(({ properties: { type, headers } }) => [type, headers?.["x-error-code"]])).toEqual([
    ["payments.checked", "ATTEMPTS_EXHAUSTED"],
  ]);
  await refund(gone, "10.00");
  await answer(gone);
  expect(await services.owner("SELECT payment_id, amount FROM saga.orphan")).toEqual([
    { payment_id: gone.id, amount: "10.00" },
  ]);
});

test("after all of it the books agree", async () => {
  const differences = (await services.differences("saga")) as { found: string }[];
  expect(differences.filter(({ found }) => !found.startsWith("PENDING"))).toEqual([]);
});
