import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventually } from "../../tests/harness/eventually.js";
import { ServiceLetters } from "../../tests/harness/letters.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { walletRefunded } from "../contracts/wallet_refunded.js";
import { walletResponse } from "../contracts/wallet_response.js";

/** Payments alone: nobody answers its commands. */
let services: Services;
let letters: ServiceLetters;
beforeAll(async () => {
  services = await Services.create({ PAYMENTS_RESEND_AFTER_S: "600" }, "payments");
  await services.start();
  letters = new ServiceLetters(services.settings, "payment-service", "payments.dlq");
});
afterAll(() => services?.close());

interface Made {
  readonly id: string;
  readonly customer: string;
}

async function made(): Promise<Made> {
  const customer = `customer-${randomUUID()}`;
  const order = { amount: "10.00", currency: "USD", method: "card", customer_id: customer };
  return { id: (await services.post("/payments", order)).body.id, customer };
}

const check = ({ id }: Made, status: "APPROVED" | "DECLINED" = "APPROVED") => ({
  id,
  status,
  reason: status === "APPROVED" ? ("approved" as const) : ("fraud_detected" as const),
  checked_at: new Date().toISOString(),
});
const answer = ({ id, customer }: Made, amount = "10.00") => ({
  payment_id: id,
  user_id: customer,
  status: "APPROVED" as const,
  amount,
  reason: "success" as const,
});
const refund = ({ id, customer }: Made, refunded_total: string) => ({
  payment_id: id,
  user_id: customer,
  refund_id: randomUUID(),
  amount: "1.00",
  refunded_total,
});

/** What messages did: steps of payments, orphans, events of theirs that were recorded as illegal. */
async function done() {
  const idsOf = async (table: string) =>
    (await services.owner<{ id: string }>(`SELECT message_id AS id FROM saga.${table}`)).map(({ id }) => id);
  return {
    applied: new Set([...(await idsOf("step")), ...(await idsOf("orphan"))]),
    illegal: new Set(await idsOf("illegal_transition")),
  };
}

test("a dry run tells what each letter would come to, and the replay does that", async () => {
  const [fresh, checked, gone] = [await made(), await made(), { id: newId(), customer: "gone" }];
  const before = newId();
  await services.publish(paymentsChecked, [check(checked)], before);
  const state = async ({ id }: Made) => (await services.get(`/payments/${id}`)).body;
  await eventually("checked", async () => (await done()).applied.has(before));

  const approves = await letters.bury(paymentsChecked, check(fresh));
  await letters.bury(paymentsChecked, check(fresh), approves);
  const second = await letters.bury(paymentsChecked, check(fresh, "DECLINED"));
  const repeated = await letters.bury(paymentsChecked, check(checked), before);
  const unknown = await letters.bury(paymentsChecked, check(gone));
  const answers = await letters.bury(walletResponse, answer(checked));
  const twice = await letters.bury(walletResponse, answer(checked));
  const orphan = await letters.bury(walletResponse, answer(gone));
  const part = await letters.bury(walletRefunded, refund(checked, "4.00"));
  const less = await letters.bury(walletRefunded, refund(checked, "3.00"));
  const fractional = await letters.bury(walletRefunded, refund(checked, "4.001"));
  const odd = newId();
  await letters.put(Buffer.from("{}"), { messageId: odd, type: walletRefunded.name });

  const known = await done();
  const forecasts = await letters.forecasts();
  expect(forecasts).toEqual({
    [approves]: [
      "would apply: PENDING, awaits debit",
      "already applied: the same message led to a step of its payment",
    ],
    [second]: ["illegal: declined by a check after another one"],
    [repeated]: ["already applied: the same message led to a step of its payment"],
    [unknown]: ["would fail: PAYMENT_NOT_FOUND: there is no such payment."],
    [answers]: ["would apply: APPROVED"],
    [twice]: ["illegal: debited after it was APPROVED"],
    [orphan]: ["would apply: an orphan: its debit is asked back"],
    [part]: ["would apply: PARTIALLY_REFUNDED"],
    [less]: ["illegal: no more refunded than is known"],
    [fractional]: [expect.stringContaining("would fail: AMOUNT_INVALID")],
    [odd]: [expect.stringContaining("unreadable: MESSAGE_MALFORMED")],
  });
  expect(await done()).toEqual(known);
  expect(await state(fresh)).toMatchObject({ status: "PENDING" });

  // An answer first, as things stood when they were looked at: the queues of two events are in no order.
  for (const id of [answers, twice]) {
    await letters.dlq("replay", id);
  }
  await eventually("answered", async () => (await state(checked)).status === "APPROVED");
  expect(await letters.dlq("replay", "--all")).toMatchObject({ done: 10 });
  // Four attempts take 14 seconds.
  await letters.gather(3, { withinMs: 30_000 });
  await eventually("the orphan", async () => (await done()).applied.has(orphan), { withinMs: 30_000 });
  const after = await done();
  const of = (kind: string) => Object.keys(forecasts).filter((id) => forecasts[id]?.[0]?.startsWith(kind));
  const news = (what: "applied" | "illegal") => [...after[what]].filter((id) => !known[what].has(id)).sort();
  expect(news("applied")).toEqual(of("would apply").sort());
  expect(news("illegal")).toEqual(of("illegal").sort());
  const back = (await letters.list()).map(({ id }) => id).sort();
  expect(back).toEqual([unknown, fractional, odd].sort());
  const exhausted = await services.owner("SELECT * FROM ops.dead_letter WHERE message_id = $1", [unknown]);
  expect(exhausted).toMatchObject([
    { code: "ATTEMPTS_EXHAUSTED", last_code: "PAYMENT_NOT_FOUND", event: paymentsChecked.name },
  ]);

  const again = await letters.bury(walletResponse, answer(gone));
  const orphans = await letters.bury(walletRefunded, refund(gone, "10.00"));
  expect(await letters.forecasts()).toMatchObject({
    [again]: ["already applied: an orphan: its debit is asked back"],
    [orphans]: ["already applied: the refund of an orphan"],
  });
});
