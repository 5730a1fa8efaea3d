import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { catalogueChanges } from "../../lib/postgres/catalogue.js";
import { transaction } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { deferred } from "../../lib/timing.js";
import { drain, onChannel } from "../../tests/harness/broker.js";
import { withPool } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { payments } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";
import { walletRefunded } from "../contracts/wallet_refunded.js";
import { walletResponse } from "../contracts/wallet_response.js";
import { refundPayments } from "./refunds.js";
import { findLastRefunds } from "./store/movement.js";

let services: Services;
beforeAll(async () => {
  services = await Services.create({}, "wallet");
  await services.start();
});
afterAll(() => services?.close());

/** A user with a wallet of so much. */
async function funded(amount: string, currency = "USD"): Promise<{ user: string; wallet: string }> {
  const user = `user-${randomUUID()}`;
  const opened = await services.post("/wallets", { user_id: user, currency });
  expect(opened.status).toBe(201);
  const wallet = opened.body.id as string;
  expect((await services.post(`/wallets/${wallet}/credit`, { amount, reference: "opening" })).status).toBe(
    201,
  );
  return { user, wallet };
}

/** Somebody's session has the wallet's row in its hands, until the function that it gives is called. */
async function hold(wallet: string): Promise<() => Promise<void>> {
  const [locked, released] = [deferred<void>(), deferred<void>()];
  const holding = withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (pool) => {
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query("SELECT FROM wallet.wallet WHERE wallet_id = $1 FOR UPDATE", [wallet]);
    locked.resolve();
    await released.promise;
    client.release(true);
  });
  await locked.promise;
  const release = () => {
    released.resolve();
    return holding;
  };
  onTestFinished(release);
  return release;
}

/** A user whose payment took all that the wallet held. */
const paid = async (amount: string) => {
  const { user, wallet } = await funded(amount);
  const payment = newId();
  const responses = await services.watch(walletResponse);
  await services.publish(walletDebitRequested, [
    { payment_id: payment, user_id: user, amount, currency: "USD" },
  ]);
  await eventually("debited", async () => (await responses()).length === 1);
  return { user, wallet, payment };
};

const balance = async (wallet: string) => (await services.get(`/wallets/${wallet}`)).body.balance as string;

describe("over HTTP a wallet", () => {
  test("is opened once per user and currency, found, and closed when it is empty", async () => {
    const user = `user-${randomUUID()}`;
    const opened = await services.post("/wallets", { user_id: user, currency: "EUR" });
    expect(opened).toMatchObject({ status: 201, body: { user_id: user, balance: "0.00", currency: "EUR" } });
    const { id } = opened.body as { id: string };
    expect(opened.headers.get("location")).toBe(`/wallets/${id}`);
    const again = await services.post("/wallets/", { user_id: user, currency: "EUR" });
    expect(again).toMatchObject({
      status: 409,
      body: { code: "WALLET_EXISTS", status: 409, wallet_id: id },
    });
    expect((await services.get(`/wallets?user_id=${user}`)).body.wallets).toEqual([opened.body]);
    await services.post(`/wallets/${id}/credit`, { amount: 1, reference: "a" });
    expect(await services.request("DELETE", `/wallets/${id}`)).toMatchObject({
      status: 409,
      body: { code: "WALLET_NOT_EMPTY" },
    });
    await services.post(`/wallets/${id}/debit`, { amount: "1.00", reference: "b" });
    expect((await services.get(`/wallets/${id}`)).body).not.toHaveProperty("closed_at");
    expect((await services.request("DELETE", `/wallets/${id}`)).status).toBe(204);
    expect((await services.request("DELETE", `/wallets/${id}`)).status).toBe(204);
    const closed = (await services.get(`/wallets/${id}`)).body;
    expect(closed).toMatchObject({ balance: "0.00", closed_at: closed.updated_at });
    expect((await services.post("/wallets", { user_id: user, currency: "EUR" })).status).toBe(201);
  });

  test("takes each reference once per kind, and answers a repetition as before", async () => {
    const { wallet } = await funded("10.00");
    const first = await services.post(`/wallets/${wallet}/debit`, { amount: "4.00", reference: "r" });
    expect(first).toMatchObject({ status: 201, body: { amount: "4.00", balance: "6.00" } });
    await services.post(`/wallets/${wallet}/credit`, { amount: "1.00", reference: "r" });
    const again = await services.post(`/wallets/${wallet}/debit`, { amount: "4.00", reference: "r" });
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const other = await services.post(`/wallets/${wallet}/debit`, { amount: "4.01", reference: "r" });
    expect(other).toMatchObject({ status: 409, body: { code: "REFERENCE_USED" } });
    expect(await balance(wallet)).toBe("7.00");
  });

  test("never goes below nothing, whoever asks at the same time", async () => {
    const { wallet } = await funded("10.00");
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        services.post(`/wallets/${wallet}/debit`, { amount: "1.00", reference: `r${i}` }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.filter(({ body }) => body.code === "FUNDS_INSUFFICIENT")).toHaveLength(40);
    expect(await balance(wallet)).toBe("0.00");
  });

  test("that somebody holds keeps no request waiting for long: 503, to be tried again, nothing done", async () => {
    const { wallet, payment } = await paid("10.00");
    const requests = [
      ["/wallets/refund", { payment_id: payment, amount: "1.00", refund_id: "r" }],
      [`/wallets/${wallet}/credit`, { amount: "1.00", reference: "r" }],
      [`/wallets/${wallet}/debit`, { amount: "1.00", reference: "r" }],
    ] as const;
    const before = await balance(wallet);
    const release = await hold(wallet);
    const since = performance.now();
    const answers = await Promise.all(requests.map(([path, body]) => services.post(path, body)));
    // Two seconds for the first in line; who gets to its place then waits for two more, all in all for as long as a statement may take.
    expect(performance.now() - since).toBeLessThan(7_000);
    for (const { status, body, headers } of answers) {
      expect([status, body.code, body.retryable, headers.get("retry-after")]).toEqual([
        503,
        "BUSY",
        true,
        "1",
      ]);
    }
    expect(await balance(wallet)).toBe(before);
    await release();
    for (const [path, body] of requests) {
      expect((await services.post(path, body)).status).toBeLessThan(300);
    }
    expect(await balance(wallet)).toBe("1.00");
  });

  test("tells its movements, newest first", async () => {
    const yen = await funded("5", "JPY");
    await services.post(`/wallets/${yen.wallet}/debit`, { amount: 2, reference: "out" });
    const { body } = await services.get(`/wallets/${yen.wallet}/movements`);
    expect(body.items).toMatchObject([
      { kind: "withdrawal", direction: "out", amount: "2", currency: "JPY", reference: "out" },
      { kind: "credit", direction: "in", amount: "5" },
    ]);
    for (let i = 0; i < 5; i++) {
      await services.post(`/wallets/${yen.wallet}/credit`, { amount: 1, reference: `more ${i}` });
    }
    const pages: string[][] = [];
    let cursor = "";
    do {
      const page = await services.get(`/wallets/${yen.wallet}/movements?limit=3${cursor}`);
      pages.push(page.body.items.map(({ reference }: { reference: string }) => reference));
      cursor = page.body.next === null ? "" : `&cursor=${page.body.next}`;
    } while (cursor !== "");
    expect(pages).toEqual([["more 4", "more 3", "more 2"], ["more 1", "more 0", "out"], ["opening"]]);
    const forged = await services.get(`/wallets/${yen.wallet}/movements?cursor=abc`);
    expect(forged).toMatchObject({ status: 400, body: { code: "REQUEST_INVALID" } });
  });
});

describe("bad input is refused with a problem, and moves nothing", () => {
  test.each<readonly [string, number, string]>([
    ['{"amount": -1, "reference": "r"}', 422, "AMOUNT_INVALID"],
    ['{"amount": 0, "reference": "r"}', 422, "AMOUNT_INVALID"],
    ['{"amount": 1.001, "reference": "r"}', 422, "AMOUNT_INVALID"],
    ['{"amount": 1e3, "reference": "r"}', 422, "AMOUNT_INVALID"],
    ['{"amount": "10,00", "reference": "r"}', 422, "AMOUNT_INVALID"],
    ['{"amount": "NaN", "reference": "r"}', 422, "AMOUNT_INVALID"],
    ['{"amount": 99999999999999999999, "reference": "r"}', 422, "AMOUNT_INVALID"],
    ['{"amount": 92233720368547758.07, "reference": "r"}', 422, "BALANCE_TOO_LARGE"],
    ['{"amount": NaN, "reference": "r"}', 400, "MESSAGE_MALFORMED"],
    ['{"amount": 1, "amount": 2, "reference": "r"}', 400, "MESSAGE_MALFORMED"],
    ['{"amount": 1, "reference": ""}', 400, "REQUEST_INVALID"],
    ['{"amount": 1, "reference": "r", "more": 1}', 400, "REQUEST_INVALID"],
    ['{"amount": true, "reference": "r"}', 400, "REQUEST_INVALID"],
    ['{"reference": "r"}', 400, "REQUEST_INVALID"],
  ])("%s is %i %s", async (body, status, code) => {
    const { wallet } = await funded("1.00");
    expect(await services.request("POST", `/wallets/${wallet}/credit`, body)).toMatchObject({
      status,
      body: { code },
    });
    expect(await balance(wallet)).toBe("1.00");
  });

  test("points at what is wrong", async () => {
    const { user, wallet, payment } = await paid("10.00");
    const amount = "1.001";
    for (const [path, body, pointer] of [
      [`/wallets/${wallet}/credit`, { amount, reference: "r" }, "#/amount"],
      [`/wallets/${wallet}/debit`, { amount, reference: "r" }, "#/amount"],
      ["/wallets/refund", { payment_id: payment, amount, refund_id: "r" }, "#/amount"],
      ["/wallets", { user_id: user, currency: "XYZ" }, "#/currency"],
    ] as const) {
      expect(await services.post(path, body)).toMatchObject({
        status: 422,
        body: { errors: [{ in: "body", pointer }] },
      });
    }
    expect(await balance(wallet)).toBe("0.00");
  });

  test("what is not there is 404, and no request for it will succeed later", async () => {
    const nobodys = newId();
    const missing = { status: 404, body: { code: "WALLET_UNKNOWN", retryable: false } };
    const move = { amount: 1, reference: "r" };
    expect(await services.get(`/wallets/${nobodys}`)).toMatchObject(missing);
    expect(await services.get(`/wallets/${nobodys}/movements`)).toMatchObject(missing);
    expect(await services.request("DELETE", `/wallets/${nobodys}`)).toMatchObject(missing);
    expect(await services.post(`/wallets/${nobodys}/credit`, move)).toMatchObject(missing);
    expect(await services.post("/wallets/refund", { payment_id: nobodys })).toMatchObject({
      status: 404,
      body: { code: "PAYMENT_UNKNOWN", retryable: false },
    });
  });

  test.each([
    ["usd", 400],
    ["XYZ", 422],
    ["XAU", 422],
  ])("currency %s is %i", async (currency, status) => {
    expect((await services.post("/wallets", { user_id: "u", currency })).status).toBe(status);
  });
});

describe("a debit that is asked for by an event", () => {
  const ask = (user: string, amount: string, payment = newId()) => ({
    payment_id: payment,
    user_id: user,
    amount,
    currency: "USD",
  });

  test("is decided once, in order of arrival, and answered however often it comes", async () => {
    const { user, wallet } = await funded("10.00");
    const responses = await services.watch(walletResponse);
    const asked = [ask(user, "6.00"), ask(user, "5.00"), ask(user, "4.00"), ask("nobody", "1.00")];
    await services.publish(walletDebitRequested, asked);
    await eventually("all answered", async () => (await responses()).length === 4);
    await services.publish(walletDebitRequested, asked);
    const seen = await eventually("all answered again", async () => {
      const all = await responses();
      return all.length === 8 && all;
    });
    const of = (i: number) =>
      seen
        .filter(({ body }) => body.payment_id === asked[i]?.payment_id)
        .map(({ body }) => `${body.status} ${body.reason} ${body.amount}`);
    expect(of(0)).toEqual(Array(2).fill("APPROVED success 6.00"));
    expect(of(1)).toEqual(Array(2).fill("DECLINED insufficient_funds 5.00"));
    expect(of(2)).toEqual(Array(2).fill("APPROVED success 4.00"));
    expect(of(3)).toEqual(Array(2).fill("DECLINED unknown_wallet 1.00"));
    const repeats = seen.map(({ message }) => message.properties.headers?.["x-repeat"] === true);
    expect(repeats.filter(Boolean)).toHaveLength(4);
    expect(await balance(wallet)).toBe("0.00");
  });

  test("waits alone while somebody holds its wallet: debits and refunds of others go on", async () => {
    const [locked, other] = [await funded("10.00"), await funded("10.00")];
    const responses = await services.watch(walletResponse);
    const refunded = await services.watch(walletRefunded);
    const answered = async (user: string) =>
      (await responses()).filter(({ body }) => body.user_id === user).length;
    const back = async (user: string) =>
      (await refunded()).filter(({ body }) => body.user_id === user).length;
    const [mine, theirs] = [ask(locked.user, "1.00"), ask(other.user, "1.00")];
    await services.publish(walletDebitRequested, [mine, theirs]);
    await eventually("both debited", async () => (await responses()).length === 2);
    const release = await hold(locked.wallet);
    const held = Array.from({ length: 50 }, () => ask(locked.user, "0.01"));
    const free = Array.from({ length: 50 }, () => ask(other.user, "0.01"));
    await Promise.all([
      services.publish(
        walletDebitRequested,
        held.flatMap((each, i) => [each, free[i] as typeof each]),
      ),
      services.publish(
        walletRefundRequested,
        [mine, theirs].map(({ payment_id, user_id }) => ({ payment_id, user_id })),
      ),
    ]);
    await eventually("the others are done", async () => (await answered(other.user)) === 51, {
      withinMs: 1_500,
    });
    await eventually("so is their refund", async () => (await back(other.user)) === 1, { withinMs: 1_500 });
    expect(await answered(locked.user)).toBe(1);
    await release();
    await eventually("the held ones come again", async () => (await answered(locked.user)) === 51);
    await eventually("so does their refund", async () => (await back(locked.user)) === 1);
    expect([await balance(locked.wallet), await balance(other.wallet)]).toEqual(["9.50", "9.50"]);
  });

  test("arrives also when its queue was deleted while all ran", async () => {
    const { user } = await funded("10.00");
    const responses = await services.watch(walletResponse);
    await onChannel(services.settings, (channel) =>
      channel.deleteQueue("wallet-service-wallet-debit-requested-consumer"),
    );
    await services.publish(walletDebitRequested, [ask(user, "1.00"), ask(user, "2.00")]);
    await eventually("both answered", async () => (await responses()).length === 2);
  });

  test("that is malformed, of another currency's digits or of a later schema becomes a dead letter; its neighbours do not", async () => {
    const { user, wallet } = await funded("10.00");
    const responses = await services.watch(walletResponse);
    await services.publish(walletDebitRequested, [
      ask(user, "1.001"),
      ask(user, "1.00"),
      { ...ask(user, "1.00"), payment_id: "x" },
    ]);
    await services.publish({ ...walletDebitRequested, version: 2 }, [ask(user, "1.00")]);
    await eventually("answered", async () => (await responses()).length === 1);
    const letters = await eventually("the letters", async () => {
      const all = await drain(services.settings, "wallet.dlq");
      return all.length > 0 && all;
    });
    const codes = letters.map(({ properties }) => properties.headers?.["x-error-code"]);
    expect(codes).toEqual(expect.arrayContaining(["AMOUNT_INVALID", "MESSAGE_MALFORMED"]));
    expect(await balance(wallet)).toBe("9.00");
  });

  test("that became a dead letter is replayed to the queue that it came from", async () => {
    await services.publish({ ...walletDebitRequested, version: 2 }, [ask("nobody", "1.00")]);
    await services.publish({ ...walletRefundRequested, version: 2 }, [
      { payment_id: newId(), user_id: "nobody" },
    ]);
    const dlq = async (...args: string[]) => {
      const { code, stdout, stderr } = await payments(
        services.settings,
        "dlq",
        ...args,
        "--queue",
        "wallet.dlq",
        "--json",
      );
      expect([code, stderr]).toEqual([0, ""]);
      return JSON.parse(stdout);
    };
    await eventually("two letters", async () => (await dlq("list")).byCode.MESSAGE_VERSION_UNKNOWN === 2);
    await payments(services.settings, "dlq", "list", "--queue", "nobody.dlq").then(({ code, stderr }) => {
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/DEAD_LETTER_QUEUE_UNKNOWN.* There are: etl_queue\.dlq, .*wallet\.dlq/),
      ]);
    });
    // They come back: each to its own queue, where the version is still unknown.
    expect(await dlq("replay", "--all")).toMatchObject({ done: 2 });
    await eventually("back again", async () => (await dlq("list")).total === 2);
    const { letters } = await dlq("list");
    expect(
      letters.map(({ headers }: { headers: Record<string, string> }) => headers["x-queue"]).sort(),
    ).toEqual([
      "wallet-service-wallet-debit-requested-consumer",
      "wallet-service-wallet-refund-requested-consumer",
    ]);
    await dlq("purge", "--all", "--yes");
  });
});

describe("a refund", () => {
  test("gives back parts, then the rest, never more, and announces each once", async () => {
    const { wallet, payment } = await paid("10.00");
    const refunded = await services.watch(walletRefunded);
    const refund = (body: object) => services.post("/wallets/refund", { payment_id: payment, ...body });
    expect(await refund({ amount: "3.00" })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: "#/refund_id" }] },
    });
    const parts = await Promise.all(
      Array.from({ length: 50 }, () => refund({ amount: "3.00", refund_id: "a" })),
    );
    expect(new Set(parts.map(({ status, body }) => `${status} ${body.amount}`))).toEqual(
      new Set(["200 3.00"]),
    );
    expect(await balance(wallet)).toBe("3.00");
    expect(await refund({ amount: "2.00", refund_id: "a" })).toMatchObject({
      status: 409,
      body: { code: "REFERENCE_USED" },
    });
    expect(await refund({ amount: "7.01", refund_id: "b" })).toMatchObject({
      status: 409,
      body: { code: "REFUND_REFUSED" },
    });
    expect(await refund({})).toMatchObject({
      status: 200,
      body: { amount: "7.00", refunded_total: "10.00" },
    });
    expect(await refund({})).toMatchObject({ status: 200, body: { amount: "7.00" } });
    expect(await balance(wallet)).toBe("10.00");
    expect(await refund({ amount: "1.00", refund_id: "rest" })).toMatchObject({ status: 400 });
    await eventually("two announced", async () => (await refunded()).length === 2);
  });

  test("that is asked for before its debit cancels the payment", async () => {
    const { user, wallet } = await funded("10.00");
    const payment = newId();
    const responses = await services.watch(walletResponse);
    await services.publish(walletRefundRequested, [{ payment_id: payment, user_id: user }]);
    await eventually("cancelled", () =>
      services.platform
        .value<number>("SELECT count(*) FROM wallet.audit_difference")
        .then(
          async () =>
            (await services.post("/wallets/refund", { payment_id: payment })).body.code === "REFUND_REFUSED",
        ),
    );
    await services.publish(walletDebitRequested, [
      { payment_id: payment, user_id: user, amount: "1.00", currency: "USD" },
    ]);
    const [seen] = await eventually("answered", async () => {
      const all = await responses();
      return all.length === 1 && all;
    });
    expect(seen?.body).toMatchObject({ status: "DECLINED", reason: "cancelled" });
    expect(await balance(wallet)).toBe("10.00");
  });

  test("into a closed wallet opens it, unless another one was opened: beside that, whatever comes first", async () => {
    const payments: Awaited<ReturnType<typeof paid>>[] = [];
    while (payments.length < 10) {
      payments.push(await paid("10.00"));
    }
    for (const { wallet } of payments) {
      expect((await services.request("DELETE", `/wallets/${wallet}`)).status).toBe(204);
    }
    const answers = await Promise.all(
      payments.flatMap(({ user, payment }) => [
        services.post("/wallets", { user_id: user, currency: "USD" }),
        services.post("/wallets/refund", { payment_id: payment }),
      ]),
    );
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    for (const { user } of payments) {
      const { wallets } = (await services.get(`/wallets?user_id=${user}`)).body;
      expect(wallets).toMatchObject([{ balance: "10.00" }]);
    }
  });

  test("that is asked for by an event gives back the rest once", async () => {
    const { user, wallet, payment } = await paid("10.00");
    const refunded = await services.watch(walletRefunded);
    await services.publish(walletRefundRequested, Array(3).fill({ payment_id: payment, user_id: user }));
    const seen = await eventually("announced", async () => {
      const all = await refunded();
      return all.length === 3 && all;
    });
    expect(seen.map(({ body }) => body.refunded_total)).toEqual(["10.00", "10.00", "10.00"]);
    expect(await balance(wallet)).toBe("10.00");
  });
  test("that is announced once more says so only where it was announced before", async () => {
    const { user, payment } = await paid("10.00");
    const refunded = await services.watch(walletRefunded);
    const body = { payment_id: payment, user_id: user };
    const first = newId();
    const announced = (count: number) =>
      eventually(`${count} announced`, async () => {
        const all = await refunded();
        return (
          all.length === count && all.map(({ message }) => message.properties.headers?.["x-repeat"] === true)
        );
      });
    await services.publish(walletRefundRequested, [body], first);
    await announced(1);
    // Its process died between commit and publish, for all that the second one knows.
    await services.publish(walletRefundRequested, [body], first);
    expect(await announced(2)).toEqual([false, false]);
    await services.publish(walletRefundRequested, [body]);
    expect(await announced(3)).toEqual([false, false, true]);
    const other = await paid("10.00");
    await services.post("/wallets/refund", { payment_id: other.payment });
    await announced(4);
    await services.publish(walletRefundRequested, [{ payment_id: other.payment, user_id: other.user }]);
    expect(await announced(5)).toEqual([false, false, true, false, true]);
  });

  test("is later than one that another transaction made after its own began", async () => {
    const { payment } = await paid("10.00");
    const role = { role: "payments_wallet", schema: "wallet", max: 1, applicationName: "refund" };
    const pool = createServicePool(services.settings, role);
    onTestFinished(() => pool.end());
    await transaction(pool, async (tx) => {
      await services.post("/wallets/refund", { payment_id: payment, amount: "1.00", refund_id: "first" });
      await refundPayments(tx, [{ paymentId: payment, refundId: "second", amount: "2.00" }]);
    });
    expect((await findLastRefunds(pool, [payment])).get(payment)).toMatchObject({ refundId: "second" });
  });

  test("under another name than the debit's is recorded, and pays nobody", async () => {
    const [{ user, wallet, payment }, eve] = [await paid("10.00"), await funded("1.00")];
    const refunded = await services.watch(walletRefunded);
    const messageId = newId();
    await services.publish(walletRefundRequested, [{ payment_id: payment, user_id: eve.user }], messageId);
    const recorded = await eventually("recorded", async () => {
      const sql =
        "SELECT event, subject_id, state, reason FROM wallet.illegal_transition WHERE message_id = $1";
      const rows = await services.owner(sql, [messageId]);
      return rows.length > 0 && rows;
    });
    const event = walletRefundRequested.name;
    const reason = "another user than decided";
    expect(recorded).toEqual([{ event, subject_id: payment, state: "approved", reason }]);
    expect([await balance(wallet), await balance(eve.wallet)]).toEqual(["0.00", "1.00"]);
    await services.publish(walletRefundRequested, [{ payment_id: payment, user_id: user }]);
    await eventually("the rightful one is announced", async () => (await refunded()).length === 1);
    expect([await balance(wallet), await balance(eve.wallet)]).toEqual(["10.00", "1.00"]);
  });

  test("for which the wallet has no room is refused over HTTP, and a dead letter as an event", async () => {
    const { user, wallet, payment } = await paid("10.00");
    await services.post(`/wallets/${wallet}/credit`, { amount: "92233720368547758.07", reference: "all" });
    expect(await services.post("/wallets/refund", { payment_id: payment })).toMatchObject({
      status: 422,
      body: { code: "BALANCE_TOO_LARGE" },
    });
    await services.publish(walletRefundRequested, [{ payment_id: payment, user_id: user }]);
    const [letter] = await eventually("the letter", async () => {
      const all = await drain(services.settings, "wallet.dlq");
      return all.length > 0 && all;
    });
    expect(letter?.properties.headers).toMatchObject({ "x-error-code": "BALANCE_TOO_LARGE" });
    await services.post(`/wallets/${wallet}/debit`, { amount: "92233720368547758.07", reference: "all" });
    expect((await services.post("/wallets/refund", { payment_id: payment })).status).toBe(200);
    expect(await balance(wallet)).toBe("10.00");
  });
});

test("after all of it the books agree, and the months that were made are no change of the schema", async () => {
  // The last event may still be on its way.
  await eventually("the books agree", async () => (await services.differences("wallet")).length === 0);
  const months = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'wallet.movement'::regclass";
  expect(await services.platform.value(months)).toBe(4);
  const changes = await withPool(
    { role: "admin", database: services.settings.POSTGRES_DB },
    catalogueChanges,
  );
  expect(changes).toEqual({ differences: [], additions: [] });
});
