import { afterEach, beforeEach, expect, test } from "vitest";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { startServiceAt } from "../../tests/harness/process.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { paymentsCreated } from "../contracts/payments_created.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";

let services: Services;
beforeEach(async () => {
  // On a busy machine a test takes minutes: no command may be sent again by then.
  services = await Services.create({ PAYMENTS_RESEND_AFTER_S: "600" }, "payments", "wallet");
});
afterEach(() => services?.close());

/** A process of payments that kills itself at a point. */
const doomed = (point: string, port: number, settings: object = {}) =>
  startServiceAt(
    { ...services.settings, ...settings, HTTP_PORT: port },
    { module: "payments", point, signal: "SIGKILL" },
  );

/** The same, when it answers. */
async function answering(point: string, settings: object = {}) {
  const port = await freePort();
  const process = doomed(point, port, settings);
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    "ready",
    async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200,
    { withinMs: 60_000 },
  );
  return { ...process, url };
}

const order = (more: object = {}) => ({
  amount: "1.00",
  currency: "USD",
  method: "card",
  customer_id: "ada",
  ...more,
});

const checkedAs = (id: string) =>
  ({ id, status: "APPROVED", reason: "approved", checked_at: new Date().toISOString() }) as const;

async function fund(amount: string): Promise<void> {
  const { body } = await services.post("/wallets", { user_id: "ada", currency: "USD" });
  await services.post(`/wallets/${body.id}/credit`, { amount, reference: "in" });
}

const statuses = async () => {
  const { body } = await services.get("/payments?customer_id=ada&limit=100");
  return body.items.map(({ status }: { status: string }) => status) as string[];
};

/** Before the statement, between commit and publish, between publish and what follows. */
const POINTS = ["WITH asked", "committed", "published"];

test("kill -9 in the middle of POST: with its key it is one payment, and announced", async () => {
  const created = await services.watch(paymentsCreated);
  // At once, or one would publish what another has left behind, and die of that.
  const processes = await Promise.all(POINTS.map(async (point) => ({ point, ...(await answering(point)) })));
  await Promise.all(
    processes.map(async ({ point, url, ended }) => {
      const key = { "idempotency-key": `k-${point.replace(" ", "-")}` };
      const headers = { "content-type": "application/json", ...key };
      const body = JSON.stringify(order());
      await fetch(`${url}/payments`, { method: "POST", headers, body }).catch(() => undefined);
      await ended;
    }),
  );
  await services.start();
  const ids: string[] = [];
  for (const point of POINTS) {
    const key = { "idempotency-key": `k-${point.replace(" ", "-")}` };
    const { status, body, headers } = await services.request("POST", "/payments", order(), key);
    expect([point, status, headers.get("idempotent-replayed")]).toEqual([
      point,
      201,
      point === "WITH asked" ? null : "true",
    ]);
    ids.push(body.id);
  }
  expect(await statuses()).toHaveLength(POINTS.length);
  const announced = async () => new Set((await created()).map(({ body }) => body.id));
  await eventually("all announced, nothing in the outbox", async () => {
    const [left, seen] = [await services.owner("SELECT FROM saga.outbox"), await announced()];
    return left.length === 0 && ids.every((id) => seen.has(id));
  });
});

test("kill -9 between an event's effect and its ack: it takes effect once, and so does what follows", async () => {
  const debits = await services.watch(walletDebitRequested);
  await services.start();
  await fund("60.00");
  const ids: string[] = [];
  for (let i = 0; i < 20 * POINTS.length; i++) {
    ids.push((await services.post("/payments", order())).body.id);
  }
  await services.stop();
  for (const [i, point] of POINTS.entries()) {
    await services.publish(paymentsChecked, ids.slice(20 * i, 20 * i + 20).map(checkedAs));
    await doomed(point, await freePort()).ended;
  }
  await services.start();
  await eventually("all approved", async () => (await statuses()).every((status) => status === "APPROVED"), {
    withinMs: 30_000,
  });
  const asked = (await debits()).map(
    ({ body, message }) => `${body.payment_id} ${message.properties.messageId}`,
  );
  expect(new Set(asked).size).toBe(ids.length);
  expect(await services.audit()).toEqual([]);
  expect(await services.owner("SELECT FROM saga.illegal_transition")).toEqual([]);
});

test("two processes, every message double and in disorder: each payment is decided once", async () => {
  const second = await answering("never");
  await services.start();
  await fund("30.00");
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => services.post("/payments", order({ reference: `r${i}` }))),
  );
  const checks = answers.map(({ body }) => checkedAs(body.id));
  const shuffled = [...checks, ...checks].sort(() => Math.random() - 0.5);
  await services.publish(paymentsChecked, shuffled);
  await eventually("all decided", async () => !(await statuses()).includes("PENDING"), { withinMs: 30_000 });
  second.child.kill("SIGTERM");
  expect((await second.ended).code).toBe(0);
  expect((await statuses()).filter((status) => status === "APPROVED")).toHaveLength(30);
  await eventually("the books agree", async () => (await services.audit()).length === 0);
  expect(await drain(services.settings, "payments.dlq")).toEqual([]);
});

test("without a broker what is over is given up, and SIGTERM ends the process", async () => {
  const { RABBITMQ_HOST: host, RABBITMQ_PORT } = services.settings;
  const broker = await TcpProxy.open(() => ({ host, port: RABBITMQ_PORT }));
  try {
    const cutOff = { RABBITMQ_PORT: broker.port, PAYMENTS_RESEND_AFTER_S: 1, PAYMENTS_GIVE_UP_S: 12 };
    const { url, child, ended } = await answering("never", cutOff);
    broker.refuse();
    broker.reset();
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(order());
    expect((await fetch(`${url}/payments`, { method: "POST", headers, body })).status).toBe(201);
    const inState = (where: string) => async () =>
      (await services.owner(`SELECT FROM saga.payment WHERE ${where}`)).length === 1;
    await eventually("given up", inState("state = 'DECLINED' AND reason = 'timed_out'"), {
      withinMs: 60_000,
    });
    // Overdue, and nobody can be asked for it.
    expect((await fetch(`${url}/payments`, { method: "POST", headers, body })).status).toBe(201);
    await eventually("overdue", inState("state = 'PENDING' AND due_at < now()"));
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  } finally {
    await broker.close();
  }
});
