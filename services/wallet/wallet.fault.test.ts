import { afterEach, beforeEach, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { processState, startServiceAt } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";
import { walletResponse } from "../contracts/wallet_response.js";

const DEBITS = 60;

let services: Services;
let wallets: readonly { readonly user: string; readonly wallet: string }[];

beforeEach(async () => {
  // The broker waits three heartbeats before it gives a frozen process's messages to another.
  services = await Services.create({ RABBITMQ_HEARTBEAT_S: "2" }, "wallet");
  await services.start();
  wallets = await Promise.all(
    ["a", "b", "c"].map(async (user) => {
      const { body } = await services.post("/wallets", { user_id: user, currency: "USD" });
      await services.post(`/wallets/${body.id}/credit`, { amount: "15.00", reference: "opening" });
      return { user, wallet: body.id as string };
    }),
  );
  await services.stop();
});
afterEach(() => services?.close());

/** 20 debits of 1.00 for each of three wallets that hold 15.00. */
const debits = () =>
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

const BEFORE_COMMIT = "COMMIT";
const POINTS = ["WITH asked", BEFORE_COMMIT, "committed", "published"] as const;

test.each(POINTS)("kill -9 before %s: every debit is decided once and answered", async (point) => {
  const responses = await services.watch(walletResponse);
  const asked = debits();
  const doomed = await faulty(point, "SIGKILL");
  await services.publish(walletDebitRequested, asked);
  await doomed.ended;
  await services.start();
  await expectDecided(asked, responses);
});

test.each(["WITH asked", BEFORE_COMMIT])(
  "a process frozen before %s lets go of its locks; another one goes on, and it commits nothing when it wakes",
  async (point) => {
    const responses = await services.watch(walletResponse);
    const asked = debits();
    const frozen = await faulty(point, "SIGSTOP");
    await services.publish(walletDebitRequested, asked);
    await eventually("frozen", async () => (await processState(frozen.child.pid)) === "T");
    // idle_in_transaction_session_timeout is 1 s.
    const lock = "SELECT FROM wallet.wallet FOR UPDATE NOWAIT";
    const free = () =>
      services.owner(lock).then(
        () => true,
        () => false,
      );
    await eventually("its locks are free", free, { withinMs: 1_500 });
    await services.start();
    const [first] = wallets;
    const answer = await services.post(`/wallets/${first?.wallet}/debit`, {
      amount: "15.00",
      reference: "free",
    });
    expect(answer.status).toBe(201);
    await eventually("all answered", async () => (await responses()).length >= DEBITS, { withinMs: 30_000 });
    frozen.child.kill("SIGCONT");
    frozen.child.kill("SIGTERM");
    expect((await frozen.ended).code).toBe(0);
    expect(await services.differences("wallet")).toEqual([]);
    const approved = (await responses()).filter(({ body }) => body.status === "APPROVED");
    expect(new Set(approved.map(({ body }) => body.payment_id)).size).toBe(30);
  },
);

test("two processes, every message double and in disorder, refunds among them: each takes effect once", async () => {
  const responses = await services.watch(walletResponse);
  const second = await faulty("never", "SIGKILL");
  await services.start();
  const asked = debits();
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

async function expectDecided(
  asked: readonly { readonly payment_id: string }[],
  responses: Awaited<ReturnType<Services["watch"]>>,
): Promise<void> {
  const ids = () =>
    responses().then((seen) => new Set(seen.map(({ body }) => (body as { payment_id: string }).payment_id)));
  await eventually("all answered", async () => (await ids()).size === asked.length, { withinMs: 30_000 });
  const approved = new Set(
    (await responses())
      .map(({ body }) => body as { payment_id: string; status: string })
      .filter(({ status }) => status === "APPROVED")
      .map(({ payment_id }) => payment_id),
  );
  expect(approved.size).toBe(45);
  for (const { wallet } of wallets) {
    expect((await services.get(`/wallets/${wallet}`)).body.balance).toBe("0.00");
  }
  expect(await services.differences("wallet")).toEqual([]);
  expect(await drain(services.settings, "wallet.dlq")).toEqual([]);
}
