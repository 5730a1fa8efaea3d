import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { audit, type Difference } from "../app/audit.js";
import { MODULES } from "../app/modules.js";
import type { Client, Pool } from "../lib/postgres/pool.js";
import { createServicePool } from "../lib/postgres/service_pool.js";
import { paymentsChecked } from "../services/contracts/payments_checked.js";
import { walletDebitRequested } from "../services/contracts/wallet_debit_requested.js";
import { react } from "../services/payouts/react.js";
import { takePagos } from "../services/payouts/store/sending.js";
import { fundingId } from "../services/wallet/domain/debit.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { payments } from "./harness/process.js";
import { Services } from "./harness/service.js";

/** The services that keep money on one database, with a payment of each state whose money moved. */
let services: Services;
beforeAll(async () => {
  services = await Services.create({}, "payments", "wallet", "payouts", "campaigns", "collector", "reports");
  await services.start();
  const { body: wallet } = await services.post("/wallets", { user_id: "ada", currency: "USD" });
  await services.post(`/wallets/${wallet.id}/credit`, { amount: "100.00", reference: "in" });
  await services.post(`/wallets/${wallet.id}/debit`, { amount: "1.00", reference: "out" });
  await services.owner(`
    BEGIN;
    INSERT INTO wallet.movement (movement_id, cause_id, kind, from_id, to_id, amount, currency)
    SELECT id, id, 'funding', '${fundingId("USD")}', '${wallet.id}', 500, 'USD' FROM gen_random_uuid() id;
    UPDATE wallet.wallet SET balance = balance + 500 WHERE wallet_id = '${wallet.id}';
    INSERT INTO wallet.seeding VALUES ('USD', 1, 500);
    COMMIT`);
  const [, part, all, late] = await Promise.all(Array.from({ length: 4 }, paid));
  await settle();
  await services.post("/wallets/refund", { payment_id: part, amount: "4.00", refund_id: "a" });
  await services.post("/wallets/refund", { payment_id: all });
  // Given up, debited all the same, refunded: as after a restore of payments alone.
  await services.owner(`
    BEGIN;
    ALTER TABLE saga.payment DISABLE TRIGGER USER;
    ALTER TABLE saga.step DISABLE TRIGGER USER;
    UPDATE saga.payment SET state = 'DECLINED', reason = 'timed_out' WHERE payment_id = '${late}';
    UPDATE saga.step SET state = 'DECLINED' WHERE payment_id = '${late}' AND state = 'APPROVED';
    ALTER TABLE saga.step ENABLE TRIGGER USER;
    ALTER TABLE saga.payment ENABLE TRIGGER USER;
    COMMIT`);
  await services.post("/wallets/refund", { payment_id: late });
  const asked = { id_afiliado: "ada", monto: "3.00", moneda: "USD", referencia_pago: "may" };
  await services.post("/pagos", asked);
  await payOut();
  await convert();
  await payOut();
  await eventually("the books agree", async () => (await services.audit()).length === 0);
});
afterAll(() => services?.close());

/** Has a partner tell of two conversions: one is spent and earns a commission, the other is over the budget. */
async function convert(): Promise<void> {
  const budget = { name: "may", budget: "10.00", currency: "USD" };
  const { id: campaign_id } = (await services.post("/campaigns", budget)).body;
  await services.request("PATCH", `/campaigns/${campaign_id}/activate`);
  const occurred_at = new Date().toISOString();
  for (const [event_id, spend] of [
    ["spent", "7.00"],
    ["over", "11.00"],
  ]) {
    const data = { campaign_id, id_afiliado: "ada", spend, commission: "2.00", moneda: "USD" };
    const event = { source: "shop", event_id, type: "conversion", occurred_at, data };
    await services.post("/event-collector/events", event);
  }
}

/** Pays the Pago that comes, in the dispatcher's and the gateway's place. */
async function payOut(): Promise<void> {
  const open = "SELECT id_pago, monto::text FROM payouts.pago WHERE estado = 'PENDIENTE'";
  await eventually("there is one", async () => (await services.owner(open)).length === 1);
  const [{ id_pago, monto }] = (await services.owner(open)) as [{ id_pago: string; monto: string }];
  const pool = createServicePool(services.settings, {
    role: "payments_payouts",
    schema: "payouts",
    max: 1,
    applicationName: "audit",
  });
  try {
    await takePagos(pool, { limit: 1, leaseS: 60 });
    const fact = {
      kind: "paid",
      gatewayId: `po_${id_pago}`,
      monto: BigInt(monto),
      moneda: "USD",
      motivo: "",
    } as const;
    await react(pool, [{ idPago: id_pago, messageId: id_pago, event: "payout.paid", fact }]);
  } finally {
    await pool.end();
  }
}

/** Orders a payment and says in fraud's place that it is none. */
async function paid(): Promise<string> {
  const order = {
    amount: "10.00",
    currency: "USD",
    method: "card",
    customer_id: "ada",
    reference: randomUUID(),
  };
  const { id } = (await services.post("/payments", order)).body;
  const checked = {
    id,
    status: "APPROVED",
    reason: "approved",
    checked_at: new Date().toISOString(),
  } as const;
  await services.publish(paymentsChecked, [checked]);
  return id;
}

const settle = () =>
  eventually("all approved", async () => {
    const { items } = (await services.get("/payments?customer_id=ada")).body;
    return items.every(({ status }: { status: string }) => status === "APPROVED");
  });

/** Amounts that no money moved by: of what was declined, a balance as it was once answered, a budget before its latest change. */
const NOT_MOVED: Readonly<Record<string, string>> = {
  "wallet.decision": "outcome = 'approved'",
  "wallet.wallet": "kind = 'customer'",
  "campaigns.change": "(campaign_id, version) IN (SELECT campaign_id, version FROM campaigns.campaign)",
};
const NO_AMOUNT = [
  "wallet.reference.balance",
  "wallet.seeding.wallets",
  "payouts.outbox_total.sent",
  "payouts.outbox_total.failed",
  "payouts.outbox_total.retries",
  "collector.rate_limit.expire",
];

const SCHEMAS = "saga, wallet, payouts, campaigns, collector";
const READ_MODELS = "reports";

interface Amount {
  readonly table: string;
  readonly column: string;
}

/** Every column of the services' tables that holds minor units. */
async function amounts(pool: Pool): Promise<readonly Amount[]> {
  const { rows } = await pool.query<Amount>(
    `SELECT c.oid::regclass::text AS table, a.attname AS column
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = ANY ('{${SCHEMAS}}'::regnamespace[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.atttypid IN ('bigint'::regtype, 'numeric'::regtype) AND a.attnum > 0
     ORDER BY 1, 2`,
  );
  return rows.filter(({ table, column }) => !NO_AMOUNT.includes(`${table}.${column}`));
}

async function lookAway(client: Client): Promise<void> {
  const { rows } = await client.query<{ sql: string }>(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname) AS sql FROM pg_constraint
     WHERE connamespace = ANY ('{${SCHEMAS}, ${READ_MODELS}}'::regnamespace[]) AND contype IN ('c', 'f') AND coninhcount = 0
       AND conparentid = 0
     UNION ALL
     SELECT format('ALTER TABLE %s DISABLE TRIGGER USER', oid::regclass) FROM pg_class
     WHERE relnamespace = ANY ('{${SCHEMAS}, ${READ_MODELS}}'::regnamespace[]) AND relkind IN ('r', 'p')`,
  );
  await client.query(rows.map(({ sql }) => sql).join("; "));
}

test("an amount of money that moved, changed by hand in any table of the services, is named", async () => {
  const seen: string[] = [];
  await withoutGuards(async (pool, differences) => {
    const columns = await amounts(pool);
    expect(await differences()).toEqual([]);
    for (const { table, column } of columns) {
      const rows = await pool.query<{ tableoid: string; ctid: string }>(
        `SELECT tableoid::regclass AS tableoid, ctid FROM ${table} WHERE ${column} IS NOT NULL AND ${NOT_MOVED[table] ?? true}`,
      );
      expect([table, column, rows.rows.length > 0]).toEqual([table, column, true]);
      for (const { tableoid, ctid } of rows.rows) {
        await pool.query("SAVEPOINT before");
        await pool.query(`UPDATE ${tableoid} SET ${column} = ${column} + 1 WHERE ctid = '${ctid}'`);
        const named = (await differences()).length > 0;
        await pool.query("ROLLBACK TO before");
        expect([table, column, ctid, named]).toEqual([table, column, ctid, true]);
        seen.push(`${table}.${column}`);
      }
    }
  });
  expect([...new Set(seen)]).toEqual([
    "campaigns.campaign.budget",
    "campaigns.campaign.clicks",
    "campaigns.campaign.conversions",
    "campaigns.campaign.impressions",
    "campaigns.campaign.spend",
    "campaigns.change.budget",
    "campaigns.spend.amount",
    "collector.payout.amount",
    "payouts.pago.monto",
    "payouts.paid.monto",
    "saga.payment.amount",
    "saga.payment.refunded",
    "wallet.decision.amount",
    "wallet.decision.refunded",
    "wallet.movement.amount",
    "wallet.reference.amount",
    "wallet.seeding.amount",
    "wallet.wallet.balance",
  ]);
});

test.each([
  ["another amount", "UPDATE reports.payout SET amount = amount + 1", "payouts, reports"],
  ["another state", "UPDATE reports.payout SET state = 'FALLIDO'", "payouts, reports"],
  ["a payout that came back", "UPDATE reports.payout SET returned = true", "payouts, reports"],
  ["no payout", "DELETE FROM reports.payout", "payouts, reports"],
  ["a payout of nobody", "UPDATE reports.payout SET payout_id = gen_random_uuid()", "payouts, reports"],
  ["another budget", "UPDATE reports.campaign SET budget = budget + 1", "campaigns, reports"],
  ["another spend", "UPDATE reports.campaign SET spend = spend + 1", "campaigns, reports"],
  ["a campaign that ended", "UPDATE reports.campaign SET state = 'COMPLETED'", "campaigns, reports"],
  ["no campaign", "DELETE FROM reports.campaign", "campaigns, reports"],
])("where reports say %s, it is named", async (_, sql, module) => {
  await eventually("the books agree", async () => (await services.audit()).length === 0);
  await withoutGuards(async (pool, differences) => {
    expect((await pool.query(sql)).rowCount).toBeGreaterThan(0);
    expect((await differences()).map((each) => each.module)).toContain(module);
  });
});

/** In a transaction that is undone, as a superuser might: with no trigger and no constraint. */
async function withoutGuards(
  work: (pool: Pool, differences: () => Promise<readonly Difference[]>) => Promise<void>,
): Promise<void> {
  await withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (pool) => {
    await pool.query("SET ROLE payments_owner; SET search_path = pg_catalog");
    await pool.query("SET payments.audit_grace_s = 0");
    await pool.query("BEGIN");
    await lookAway(pool as unknown as Client);
    const inTransaction = {
      connect: async () => ({ query: ownTransaction(pool), release: () => undefined }),
    };
    await work(pool, async () => {
      const options = { graceS: 0, giveUpS: 0, settings: services.settings };
      return (await audit(inTransaction as unknown as Pool, MODULES, options)).differences;
    });
    await pool.query("ROLLBACK");
  });
}

/** The audit's own transaction would end the test's. */
const ownTransaction =
  (pool: Pool) =>
  async (...args: [string, unknown[]?]) =>
    /^(BEGIN|COMMIT|ROLLBACK|SET TRANSACTION)/.test(args[0]) ? undefined : pool.query(...args);

test("payments audit names what differs and ends with 3; what the wallet debited for nobody is named too", async () => {
  const run = (...args: string[]) => payments(services.settings, "audit", ...args);
  expect(await run("--quiesced")).toMatchObject({ code: 0, stdout: "audited: the books agree\n" });
  const nobodys = { payment_id: randomUUID(), user_id: "ada", amount: "1.00", currency: "USD" };
  await services.publish(walletDebitRequested, [nobodys]);
  await eventually("debited", async () => (await services.audit()).length > 0);
  // In flight for a minute.
  expect((await run()).code).toBe(0);
  const { code, stdout } = await run("--quiesced", "--json");
  expect(code).toBe(3);
  expect(JSON.parse(stdout).differences).toEqual([
    {
      module: "payments, wallet",
      what: `payment ${nobodys.payment_id}`,
      expected: "nothing taken: payments does not know it",
      found: "approved of ada, 100 USD, refunded 0",
    },
  ]);
});

test("--mend asks the wallet again: a refund that was forgotten is told, money of nobody or for nothing goes back", async () => {
  const [forgotten, declined] = [await paid(), await paid()];
  await eventually("both approved", async () => {
    const both = await Promise.all([forgotten, declined].map((id) => services.get(`/payments/${id}`)));
    return both.every(({ body }) => body.status === "APPROVED");
  });
  await services.post("/wallets/refund", { payment_id: forgotten, amount: "4.00", refund_id: "b" });
  const refunded = async (id: string) => (await services.get(`/payments/${id}`)).body.refunded;
  await eventually("refunded", async () => (await refunded(forgotten)) === "4.00");
  // As a restore leaves them to a moment when payments had not heard of the refund, the wallet not of having to give back.
  await services.owner(`
    BEGIN;
    ALTER TABLE saga.payment DISABLE TRIGGER USER;
    ALTER TABLE saga.step DISABLE TRIGGER USER;
    UPDATE saga.payment SET state = 'APPROVED', refunded = 0 WHERE payment_id = '${forgotten}';
    DELETE FROM saga.step WHERE payment_id = '${forgotten}' AND event = 'wallet.refunded';
    UPDATE saga.payment SET state = 'DECLINED', reason = 'timed_out' WHERE payment_id = '${declined}';
    UPDATE saga.step SET state = 'DECLINED' WHERE payment_id = '${declined}' AND state = 'APPROVED';
    ALTER TABLE saga.step ENABLE TRIGGER USER;
    ALTER TABLE saga.payment ENABLE TRIGGER USER;
    COMMIT`);
  // With the one of the test before, unless it went back by itself, which takes 14 s.
  const mended = await payments(services.settings, "audit", "--quiesced", "--mend");
  expect(mended).toMatchObject({ code: 3, stderr: "" });
  expect(mended.stdout).toMatch(/the wallet is asked again about [23] payments: audit again in a minute\n$/);
  await eventually("the books agree", async () => (await services.audit()).length === 0, {
    withinMs: 40_000,
  });
  expect(await refunded(forgotten)).toBe("4.00");
  expect(await refunded(declined)).toBe("10.00");
  expect(await services.owner("SELECT amount FROM saga.orphan")).toEqual([{ amount: "1.00" }]);
  expect((await payments(services.settings, "audit", "--quiesced", "--mend")).stdout).toBe(
    "audited: the books agree\n",
  );
});

test("the amount of an orphan, changed by hand, is named", async () => {
  const change = (amount: string) =>
    services.owner(`
      BEGIN;
      ALTER TABLE saga.orphan DISABLE TRIGGER orphan_final;
      UPDATE saga.orphan SET amount = '${amount}';
      ALTER TABLE saga.orphan ENABLE TRIGGER orphan_final;
      COMMIT`);
  // Of the test before.
  await change("3.00");
  expect(await services.audit()).toEqual([
    expect.objectContaining({
      expected: "all refunded: an orphan of 3.00",
      found: "approved of ada, 100 USD, refunded 100",
    }),
  ]);
  await change("1.00");
  expect(await services.audit()).toEqual([]);
});
