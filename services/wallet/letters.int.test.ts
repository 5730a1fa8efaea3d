import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import { peek } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { ServiceLetters } from "../../tests/harness/letters.js";
import { payments } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";
import { walletResponse } from "../contracts/wallet_response.js";

let services: Services;
let letters: ServiceLetters;
beforeAll(async () => {
  services = await Services.create({}, "wallet");
  await services.start();
  letters = new ServiceLetters(services.settings, "wallet-service", "wallet.dlq");
});
afterAll(() => services?.close());

async function funded(amount: string): Promise<{ user: string; wallet: string }> {
  const user = `user-${randomUUID()}`;
  const { body } = await services.post("/wallets", { user_id: user, currency: "USD" });
  await services.post(`/wallets/${body.id}/credit`, { amount, reference: "opening" });
  return { user, wallet: body.id };
}

const balance = async (wallet: string) => (await services.get(`/wallets/${wallet}`)).body.balance as string;

const ask = (user: string, amount: string, payment = newId()) => ({
  payment_id: payment,
  user_id: user,
  amount,
  currency: "USD",
});

/** What messages did: decisions and refunds that they made, events of theirs that were recorded as illegal. */
async function done() {
  const idsOf = async (sql: string) =>
    (await services.owner<{ id: string }>(`SELECT message_id AS id ${sql}`)).map(({ id }) => id);
  return {
    applied: new Set([
      ...(await idsOf("FROM wallet.decision")),
      ...(await idsOf("FROM wallet.movement WHERE kind = 'refund'")),
    ]),
    illegal: new Set(await idsOf("FROM wallet.illegal_transition")),
  };
}

test("a dry run tells what each letter would come to, and the replay does that", async () => {
  const { user, wallet } = await funded("20.00");
  const responses = await services.watch(walletResponse);
  const [paid, refundable] = [newId(), newId()];
  await services.publish(walletDebitRequested, [ask(user, "5.00", paid), ask(user, "5.00", refundable)]);
  await eventually("debited", async () => (await responses()).length === 2);
  // Left are 10.00.
  const debit = (...asked: Parameters<typeof ask>) => letters.bury(walletDebitRequested, ask(...asked));
  const refund = (payment_id: string, user_id: string) =>
    letters.bury(walletRefundRequested, { payment_id, user_id });
  const first = ask(user, "6.00");
  const approved = await letters.bury(walletDebitRequested, first);
  await letters.bury(walletDebitRequested, first, approved);
  // Whether the refund below comes before it or not.
  const poor = await debit(user, "16.00");
  const nobody = await debit("nobody", "1.00");
  const known = await debit(user, "5.00", paid);
  const other = await debit(user, "5.01", paid);
  const fractional = await debit(user, "1.001");
  const [back, eve, unknown, nothing] = [
    await refund(refundable, user),
    await refund(paid, "eve"),
    await refund(newId(), user),
    await refund(refundable, user),
  ];
  const later = eventMessage({ ...walletDebitRequested, version: 2 }, ask(user, "1.00"), {
    messageId: newId(),
  });
  const { messageId: version } = later.properties;
  await letters.put(later.body, later.properties, walletDebitRequested.name);
  await letters.put(Buffer.from("?"), { messageId: "odd", type: walletDebitRequested.name });
  await letters.put(Buffer.from("?"), { messageId: "lost" });

  const before = await done();
  const forecasts = await letters.forecasts();
  expect(forecasts).toEqual({
    [approved]: ["would apply: approved", "already applied: approved"],
    [poor]: ["would apply: declined, insufficient_funds"],
    [nobody]: ["would apply: declined, unknown_wallet"],
    [known]: ["already applied: approved"],
    [other]: ["illegal: another amount than decided"],
    [fractional]: [expect.stringMatching(/^would fail: AMOUNT_INVALID: /)],
    [back]: ["would apply: 5.00 given back"],
    [eve]: ["illegal: another user than decided"],
    [unknown]: ["would apply: cancelled before any debit"],
    [nothing]: ["already applied: 5.00 given back"],
    [version]: [expect.stringMatching(/^unreadable: MESSAGE_VERSION_UNKNOWN: /)],
    odd: [expect.stringMatching(/^unreadable: MESSAGE_MALFORMED: /)],
    lost: [expect.stringMatching(/^unreadable: DEAD_LETTER_QUEUE_UNKNOWN: /)],
  });
  expect((await letters.dlq("replay", "--all", "--dry-run")).byForecast).toEqual({
    "would apply": 5,
    "already applied": 3,
    unreadable: 3,
    illegal: 2,
    "would fail": 1,
  });
  // Nothing was done by that.
  expect(await done()).toEqual(before);
  expect(await balance(wallet)).toBe("10.00");

  await letters.dlq("purge", "lost", "--yes");
  const of = (kind: string) => Object.keys(forecasts).filter((id) => forecasts[id]?.[0]?.startsWith(kind));
  expect(await letters.dlq("replay", "--all")).toMatchObject({ done: 13 });
  await eventually("all are answered", async () => (await responses()).length === 8);
  await letters.gather(3);
  const after = await done();
  const made = (what: "applied" | "illegal") => [...after[what]].filter((id) => !before[what].has(id)).sort();
  expect(made("applied")).toEqual(of("would apply").sort());
  expect(made("illegal")).toEqual(of("illegal").sort());
  expect((await letters.list()).map(({ id }) => id).sort()).toEqual(
    [fractional, version, "odd"].map(String).sort(),
  );
  // 10.00 less the debit, and the refund.
  expect(await balance(wallet)).toBe("9.00");
  await letters.dlq("purge", "--all", "--yes");
});

test("a refund for which there is no room would fail, until there is", async () => {
  const { user, wallet } = await funded("10.00");
  const responses = await services.watch(walletResponse);
  const payment = newId();
  await services.publish(walletDebitRequested, [ask(user, "10.00", payment)]);
  await eventually("debited", async () => (await responses()).length === 1);
  await services.post(`/wallets/${wallet}/credit`, { amount: "92233720368547758.07", reference: "all" });
  const id = await letters.bury(walletRefundRequested, { payment_id: payment, user_id: user });
  expect((await letters.forecasts())[id]).toEqual([expect.stringContaining("would fail: BALANCE_TOO_LARGE")]);
  await services.post(`/wallets/${wallet}/debit`, { amount: "92233720368547758.07", reference: "all" });
  expect((await letters.forecasts())[id]).toEqual(["would apply: 10.00 given back"]);
  await letters.dlq("replay", id);
  await eventually("given back", async () => (await balance(wallet)) === "10.00");
});

test("a person sees the forecasts in the table, and how many there are of each", async () => {
  await letters.bury(walletRefundRequested, { payment_id: newId(), user_id: "ada" });
  const command = ["dlq", "replay", "--all", "--dry-run", "--queue", "wallet.dlq"];
  const { stdout } = await payments(services.settings, ...command);
  expect(stdout).toMatch(/ wallet\.refund\.requested .* would apply +cancelled before any debit /);
  expect(stdout).toMatch(
    /forecast +letters\n-+ +-+\nwould apply +1\n\n1 of 1 dead letters would be replayed\n$/,
  );
  await letters.dlq("purge", "--all", "--yes");
});

test("a replay to the topic reaches all who take the event; observers are told that it is said again", async () => {
  const { user, wallet } = await funded("3.00");
  const requests = await services.watch(walletDebitRequested);
  const messageId = await letters.bury(walletDebitRequested, ask(user, "1.00"));
  expect(await letters.dlq("replay", "--all", "--to-topic")).toMatchObject({ done: 1 });
  await eventually("debited", async () => (await balance(wallet)) === "2.00");
  const [seen] = await requests();
  expect(seen?.message.properties).toMatchObject({
    messageId,
    type: walletDebitRequested.name,
    headers: { "x-repeat": true },
  });
  expect(seen?.message.properties.headers).not.toHaveProperty("x-attempts");
  expect(await peek(services.settings, "wallet.dlq")).toEqual([]);
});
