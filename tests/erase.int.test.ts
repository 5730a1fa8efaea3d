import { afterAll, beforeAll, expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import { type PagoEvent, paymentsEvtFailed } from "../services/contracts/payments_evt.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { payments } from "./harness/process.js";
import { newSecret } from "./harness/receiver.js";
import { Services } from "./harness/service.js";

let services: Services;
beforeAll(async () => {
  // Nobody is there: what is to be told waits.
  services = await Services.create(
    {
      PAYMENTS_WEBHOOK_URL: `http://127.0.0.1:${await freePort()}/`,
      PAYMENTS_WEBHOOK_SECRET: newSecret(),
      PAYMENTS_WEBHOOK_ALLOW_INTERNAL: "true",
    },
    "payments",
    "fraud",
    "wallet",
    "payouts",
    "collector",
    "reports",
  );
  await services.start();
});
afterAll(() => services.close());

const erase = (...args: string[]) => payments(services.settings, "erase", ...args);
const admin = (sql: string, values: unknown[] = []) =>
  withPool({ role: "admin", database: services.settings.POSTGRES_DB }, (pool) => pool.query(sql, values));
/** Every row of the services' tables that has the text in it. */
async function traces(text: string): Promise<string[]> {
  const { rows: tables } = await admin(
    `SELECT format('%I.%I', n.nspname, c.relname) AS table
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND c.relkind = 'r'`,
    [MODULES.filter(({ erases }) => erases !== undefined).flatMap(({ schemas }) => schemas)],
  );
  const found: string[] = [];
  for (const { table } of tables) {
    const { rows } = await admin(`SELECT t::text AS row FROM ${table} t WHERE position($1 IN t::text) > 0`, [
      text,
    ]);
    found.push(...rows.map(({ row }) => `${table} ${row}`));
  }
  return found;
}

/** Says in the dispatcher's place that no Pago could be paid; resolves when whoever asked and whoever reports has heard it. */
async function failPagos(): Promise<void> {
  await admin(`UPDATE payouts.pago SET estado = 'PROCESANDO', gateway_key = 'k', sent_at = now()`);
  await admin(`UPDATE payouts.pago SET estado = 'FALLIDO', motivo = 'declined'`);
  const { rows } = await admin(
    `SELECT id_pago, id_afiliado, (monto / 100.0)::numeric(10, 2)::text AS monto, moneda, referencia_pago, estado, motivo, 3 AS version
     FROM payouts.pago`,
  );
  const failed = rows.map((row) => ({ ...row, occurred_at: new Date().toISOString() }) as PagoEvent);
  await services.publish(paymentsEvtFailed, failed);
  await eventually("heard", async () => (await heard("failed")).join() === `1,${2 * failed.length}`);
}

/** Payouts of partners with an outcome, and events that reports has archived. */
async function heard(outcome: string): Promise<number[]> {
  const { rows } = await admin(
    `SELECT (SELECT count(*) FROM collector.delivery WHERE outcome = $1) AS noted, (SELECT position FROM reports.head) AS archived`,
    [outcome],
  );
  return [Number(rows[0].noted), Number(rows[0].archived)];
}

test("a person goes out of all tables, their money stays in the books, and no wallet is seeded for them again", async () => {
  const opened = await services.post("/wallets", { user_id: "customer-7", currency: "USD" });
  const at = `/wallets/${opened.body.id}`;
  await services.request(
    "POST",
    `${at}/credit`,
    { amount: "50", reference: "in" },
    { "idempotency-key": "k1" },
  );
  const pay = (amount: string, reference: string) =>
    services.request(
      "POST",
      "/payments",
      { amount, currency: "USD", method: "credit_card", customer_id: "customer-7", reference },
      { "idempotency-key": reference },
    );
  const ids = [(await pay("20.00", "shoes")).body.id, (await pay("900.00", "big-car")).body.id];
  await eventually("decided", async () => {
    const states = await Promise.all(
      ids.map(async (id) => (await services.get(`/payments/${id}`)).body.status),
    );
    return states.join() === "APPROVED,DECLINED";
  });
  const payOut = { id_afiliado: "customer-7", monto: "5.00", moneda: "USD", referencia_pago: "shoes back" };
  const { id_pago } = (await services.request("POST", "/pagos", payOut, { "idempotency-key": "k2" })).body;
  const sale = { id_afiliado: "customer-7", monto: "7.00", moneda: "USD", referencia_pago: "order 1" };
  const told = { source: "shop", event_id: "1", type: "payment", occurred_at: new Date().toISOString() };
  expect((await services.post("/event-collector/events", { ...told, data: sale })).status).toBe(202);
  await eventually("announced", async () => (await heard("pending")).join() === "1,2");
  expect((await traces("customer-7")).length).toBeGreaterThan(7);
  // Nobody sends it: there is no gateway.
  expect(await erase("customer-7", "--yes")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("IN_FLIGHT"),
  });
  await failPagos();

  expect(await erase("customer-7")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("NOT_CONFIRMED"),
  });
  expect(await erase("customer-7", "--yes")).toMatchObject({ code: 0 });
  expect(await traces("customer-7")).toEqual([]);
  expect(await traces("shoes")).toEqual([]);
  expect((await services.get(`/pagos/${id_pago}`)).body).toMatchObject({
    monto: "5.00",
    id_afiliado: expect.stringMatching(/^erased-/),
    referencia_pago: null,
  });
  const paid = await services.get(`/payments/${ids[0]}`);
  expect(paid.body).toMatchObject({
    status: "APPROVED",
    amount: "20.00",
    customer_id: expect.stringMatching(/^erased-/),
  });
  expect((await services.get(at)).body).toMatchObject({ balance: "30.00", user_id: paid.body.customer_id });
  const webhooks = await admin("SELECT data->>'customerId' AS customer FROM saga.webhook");
  expect(webhooks.rows).toEqual(ids.map(() => ({ customer: paid.body.customer_id })));
  expect(await payments(services.settings, "audit", "--quiesced")).toMatchObject({ code: 0 });

  await payments(services.settings, "seed");
  await payments(services.settings, "wallets", "seed");
  expect((await services.get("/wallets?user_id=customer-7")).body.wallets).toEqual([]);
  expect((await services.get("/wallets?user_id=customer-8")).body.wallets).toHaveLength(1);
});

test("nobody goes while a payment of theirs is in flight", async () => {
  await services.stop(); // or they would decide it
  await admin(
    `INSERT INTO saga.payment (payment_id, customer_id, amount, currency, method, trace_id, due_at)
     VALUES (ops.uuid_v7(), 'lovelace', 100, 'USD', 'credit_card', gen_random_uuid(), now())`,
  );
  expect(await erase("lovelace", "--yes")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("IN_FLIGHT"),
  });
  expect(await traces("lovelace")).toHaveLength(1);
});
