import { afterEach, beforeEach, expect, test } from "vitest";
import type { z } from "zod";
import { newId } from "../../lib/domain/ids.js";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { processState, startServiceAt } from "../../tests/harness/process.js";
import { type Seen, Services } from "../../tests/harness/service.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";
import { walletResponse } from "../contracts/wallet_response.js";

/** Of three users, each with a wallet that holds 15.00, by where a process dies or freezes while it debits them. */
type Wallets = readonly { readonly user: string; readonly wallet: string }[];
const DEBITS = 60;

const BEFORE_COMMIT = "COMMIT";
const KILLED_AT = ["WITH asked", BEFORE_COMMIT, "committed", "published"];
const FROZEN_AT = ["WITH asked", BEFORE_COMMIT];

let services: Services;
beforeEach(async () => {
  // The broker waits three heartbeats before it gives a frozen process's messages to another.
  services = await Services.create({ RABBITMQ_HEARTBEAT_S: "1" }, "wallet");
  await services.start();
});
afterEach(() => services?.close());

const openWallets = (about: string): Promise<Wallets> =>
  Promise.all(
    ["a", "b", "c"].map(async (name) => {
      const user = `${name} ${about}`;
      const { body } = await services.post("/wallets", { user_id: user, currency: "USD" });
      await services.post(`/wallets/${body.id}/credit`, { amount: "15.00", reference: "opening" });
      return { user, wallet: body.id as string };
    }),
  );

/** 20 debits of 1.00 for each. */
const debits = (wallets: Wallets) =>
  Array.from({ length: DEBITS }, (_, i) => ({
    payment_id: newId(),
    user_id: wallets[i % 3]?.user as string,
    amount: "1.00",
    currency: "USD",
  }));

const faulty = async (point: string, signal: NodeJS.Signals) =>
  startServiceAt(
    { ...services.settings, HTTP_PORT: await freePort() },
    // The first commit is of the look at the schema.
    { module: "wallet", point, signal, nth: point === BEFORE_COMMIT ? 2 : 1 },
  );

test("kill -9 at point after point, one process after another: every debit is decided once and answered", async () => {
  const wallets = (await Promise.all(KILLED_AT.map(openWallets))).flat();
  await services.stop();
  const responses = await services.watch(walletResponse);
  for (const [i, point] of KILLED_AT.entries()) {
    const doomed = await faulty(point, "SIGKILL");
    await services.publish(walletDebitRequested, debits(wallets.slice(3 * i, 3 * i + 3)));
    expect([point, (await doomed.ended).code]).toEqual([point, null]);
  }
  await services.start();
  await expectDecided(wallets, responses);
});

test("a process frozen at a point lets go of its locks; another one goes on, and it commits nothing when it wakes", async () => {
  const wallets = await Promise.all(FROZEN_AT.map(openWallets));
  await services.stop();
  const responses = await services.watch(walletResponse);
  const frozen: Awaited<ReturnType<typeof faulty>>[] = [];
  for (const [i, point] of FROZEN_AT.entries()) {
    const { child, ...others } = await faulty(point, "SIGSTOP");
    frozen.push({ child, ...others });
    await services.publish(walletDebitRequested, debits(wallets[i] as Wallets));
    // Seen at once: what is to be free in time is counted from here.
    await eventually("frozen", async () => (await processState(child.pid)) === "T", {
      withinMs: 60_000,
      everyMs: 25,
    });
    // idle_in_transaction_session_timeout is 1 s.
    const lock = "SELECT FROM wallet.wallet FOR UPDATE NOWAIT";
    const free = () =>
      services.owner(lock).then(
        () => true,
        () => false,
      );
    await eventually("its locks are free", free, { withinMs: 1_500 });
  }
  await services.start();
  await expectDecided(wallets.flat(), responses);
  for (const { child, ended } of frozen) {
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  }
  await expectDecided(wallets.flat(), responses);
});

test("two processes, every message double and in disorder, refunds among them: each takes effect once", async () => {
  const responses = await services.watch(walletResponse);
  const second = await faulty("never", "SIGKILL");
  const asked = debits(await openWallets("double"));
  const refunds = asked
    .filter((_, i) => i % 4 === 0)
    .map(({ payment_id, user_id }) => ({ payment_id, user_id }));
  const shuffled = [...asked, ...asked].sort(() => Math.random() - 0.5);
  await Promise.all([
    services.publish(walletDebitRequested, shuffled),
    services.publish(walletRefundRequested, [...refunds, ...refunds]),
  ]);
  await eventually("all answered twice", async () => (await responses()).length === 2 * DEBITS, {
    withinMs: 30_000,
  });
  second.child.kill("SIGTERM");
  await second.ended;
  const verdicts = new Map<string, Set<string>>();
  for (const { body } of await responses()) {
    verdicts.set(
      body.payment_id,
      (verdicts.get(body.payment_id) ?? new Set()).add(`${body.status} ${body.reason}`),
    );
  }
  expect([...verdicts.values()].every(({ size }) => size === 1)).toBe(true);
  expect(verdicts.size).toBe(DEBITS);
  // Of those that were approved; the others were declined, or cancelled before they came.
  const owed = `SELECT count(*) FROM wallet.decision d JOIN unnest($1::uuid[]) id ON id = d.payment_id
                WHERE outcome = 'approved' AND refunded < amount OR d.outcome IS NULL`;
  const ids = refunds.map(({ payment_id }) => payment_id);
  await eventually("refunded", async () => {
    const [row] = await services.owner<{ count: number }>(owed, [ids]);
    return Number(row?.count) === 0;
  });
  expect(await services.differences("wallet")).toEqual([]);
  expect(await drain(services.settings, "wallet.dlq")).toEqual([]);
});

type Responses = () => Promise<Seen<z.output<typeof walletResponse.schema>>[]>;

/** Each debit is answered; all that the wallets held is taken, and no more. */
async function expectDecided(wallets: Wallets, responses: Responses): Promise<void> {
  const answers = async () =>
    new Map((await responses()).map(({ body }) => [body.payment_id, `${body.status} ${body.reason}`]));
  const debited = (wallets.length / 3) * DEBITS;
  await eventually("all answered", async () => (await answers()).size === debited, { withinMs: 60_000 });
  const approved = [...(await answers()).values()].filter((answer) => answer === "APPROVED success");
  expect(approved).toHaveLength(15 * wallets.length);
  for (const { wallet } of wallets) {
    expect((await services.get(`/wallets/${wallet}`)).body.balance).toBe("0.00");
  }
  expect(await services.differences("wallet")).toEqual([]);
  expect(await drain(services.settings, "wallet.dlq")).toEqual([]);
}
