import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import type { Pool, Queryable } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { refusal } from "../../tests/harness/refusal.js";
import { testSettings } from "../../tests/harness/settings.js";
import { fundingId } from "./domain/debit.js";
import { onDebitRequested } from "./handlers/on_debit_requested.js";
import { refundPayments } from "./refunds.js";
import { enterTransfer } from "./store/movement.js";
import { insertWallet } from "./store/wallet.js";

/** What must not be is refused by PostgreSQL itself: to the service's role, and where that has no say, to the owner too. */
let database: string;
let service: Pool;
const payment = newId();
const [usd, eur] = [newId(), newId()];

beforeAll(async () => {
  database = await createDatabase("seeded");
  service = createServicePool(testSettings({ POSTGRES_DB: database }), {
    role: "payments_wallet",
    schema: "wallet",
    max: 2,
    applicationName: "hostile",
  });
  for (const [walletId, currency] of [
    [usd, "USD"],
    [eur, "EUR"],
  ] as const) {
    await insertWallet(service, { walletId, userId: "mallory", currency });
    const transfer = {
      movementId: newId(),
      kind: "credit",
      walletId,
      fundingId: fundingId(currency),
      amount: 1_000n,
      currency,
      reference: "r",
    } as const;
    await enterTransfer(service, transfer);
  }
  const body = { payment_id: payment, user_id: "mallory", amount: "6.00", currency: "USD" };
  await onDebitRequested(service, [{ body, messageId: randomUUID(), traceId: "0".repeat(32), attempt: 1 }]);
  const declined = { ...body, payment_id: newId(), amount: "60.00" };
  await onDebitRequested(service, [
    { body: declined, messageId: randomUUID(), traceId: "0".repeat(32), attempt: 1 },
  ]);
  const withdrawal = { movementId: newId(), kind: "withdrawal", walletId: usd, reference: "w" } as const;
  await enterTransfer(service, { ...withdrawal, fundingId: fundingId("USD"), amount: 10n, currency: "USD" });
  await seedOne(newId());
  await refundPayments(service, [{ paymentId: payment, refundId: "a", amount: "1.00" }]);
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

/** A wallet as a seeding makes it, with its answer key. */
async function seedOne(walletId: string): Promise<void> {
  await service.query(`
    WITH opened AS (
      INSERT INTO wallet.wallet (wallet_id, user_id, currency, balance) VALUES ('${walletId}', 'customer-1', 'USD', 700)
    ), funded AS (
      INSERT INTO wallet.movement (movement_id, cause_id, kind, from_id, to_id, amount, currency)
      VALUES ('${walletId}', '${walletId}', 'funding', '${fundingId("USD")}', '${walletId}', 700, 'USD')
    )
    INSERT INTO wallet.seeding (currency, wallets, amount) VALUES ('USD', 1, 700)`);
}

const clearing = `(SELECT wallet_id FROM wallet.wallet WHERE kind = 'clearing' AND currency = 'USD')`;
const movement = (columns: Record<string, string>) => {
  const row = {
    movement_id: `'${payment}'`,
    cause_id: `'${payment}'`,
    kind: "'debit'",
    from_id: `'${usd}'`,
    to_id: clearing,
    amount: "1",
    currency: "'USD'",
    reference: "NULL",
    ...columns,
  };
  return `INSERT INTO wallet.movement (${Object.keys(row).join(", ")}) VALUES (${Object.values(row).join(", ")})`;
};
const own = (sql: string) => sql.replaceAll("$id", `gen_random_uuid()`);

describe.each(["the service", "the owner"])("%s cannot", (who) => {
  const as = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
    who === "the service"
      ? work(service)
      : withPool({ role: "admin", database }, async (pool) => {
          await pool.query("SET ROLE payments_owner");
          return work(pool);
        });

  test.each([
    ["debit a payment twice", movement({}), ["23505"]],
    ["move nothing", movement({ movement_id: own("$id"), cause_id: own("$id"), amount: "0" }), ["23514"]],
    [
      "move less than nothing",
      movement({ movement_id: own("$id"), cause_id: own("$id"), amount: "-1" }),
      ["23514"],
    ],
    ["move from a wallet to itself", movement({ to_id: `'${usd}'` }), ["23514"]],
    [
      "move between currencies",
      movement({
        movement_id: "'00000000-0000-7000-8000-000000000001'",
        cause_id: "'00000000-0000-7000-8000-000000000001'",
        to_id: `'${eur}'`,
      }),
      ["23503"],
    ],
    [
      "move from a wallet that is not there",
      movement({
        movement_id: "'00000000-0000-7000-8000-000000000001'",
        cause_id: "'00000000-0000-7000-8000-000000000001'",
        from_id: own("$id"),
      }),
      ["23503"],
    ],
    ["enter a refund as the debit's own row", movement({ kind: "'refund'", reference: "'x'" }), ["23514"]],
    ["enter a debit beside the payment's own", movement({ movement_id: own("$id") }), ["23514"]],
    ["change a movement", "UPDATE wallet.movement SET amount = amount + 1", ["42501", "23001"]],
    [
      "change a movement by its partition",
      "UPDATE wallet.movement_default SET amount = amount + 1",
      ["42501", "23001"],
    ],
    ["change whose decision it is", "UPDATE wallet.decision SET user_id = 'x'", ["42501", "23001"]],
    ["forget all decisions", "TRUNCATE wallet.decision", ["42501", "23001"]],
    ["delete a movement", "DELETE FROM wallet.movement", ["42501", "23001"]],
    ["delete all movements", "TRUNCATE wallet.movement", ["42501", "23001"]],
    ["go below nothing", `UPDATE wallet.wallet SET balance = -1 WHERE wallet_id = '${usd}'`, ["23514"]],
    [
      "close a wallet with money",
      `UPDATE wallet.wallet SET closed_at = now() WHERE wallet_id = '${usd}'`,
      ["23514"],
    ],
    [
      "change a wallet's currency",
      `UPDATE wallet.wallet SET currency = 'EUR' WHERE wallet_id = '${usd}'`,
      ["42501", "23503", "23505"],
    ],
    [
      "open a second wallet of a currency",
      "INSERT INTO wallet.wallet (wallet_id, user_id, currency, balance) VALUES (gen_random_uuid(), 'mallory', 'USD', 0)",
      ["23505"],
    ],
    [
      "give a clearing wallet a balance",
      `UPDATE wallet.wallet SET balance = 5 WHERE wallet_id = ${clearing}`,
      ["23514"],
    ],
    [
      "refund more than was taken",
      `UPDATE wallet.decision SET refunded = 601 WHERE payment_id = '${payment}'`,
      ["23514"],
    ],
    [
      "take a refund back",
      `UPDATE wallet.decision SET refunded = 0 WHERE payment_id = '${payment}'`,
      ["23001"],
    ],
    [
      "turn a decision over",
      `UPDATE wallet.decision SET outcome = 'declined', reason = 'insufficient_funds' WHERE payment_id = '${payment}'`,
      ["42501", "23001"],
    ],
    ["forget a decision", "DELETE FROM wallet.decision", ["42501", "23001"]],
    [
      "refund what was declined",
      "INSERT INTO wallet.decision (payment_id, outcome, reason, user_id, refunded, message_id, seal) VALUES (gen_random_uuid(), 'declined', 'unknown_wallet', 'x', 1, 'm', '')",
      ["23514"],
    ],
    [
      "approve without a wallet",
      "INSERT INTO wallet.decision (payment_id, outcome, reason, user_id, amount, currency, message_id) VALUES (gen_random_uuid(), 'approved', 'success', 'x', 1, 'USD', 'm')",
      ["23514"],
    ],
    [
      "use a reference twice",
      `INSERT INTO wallet.reference VALUES ('${usd}', 'credit', 'r', gen_random_uuid(), 1, 1, '')`,
      ["23505"],
    ],
    ["change what a reference did", `UPDATE wallet.reference SET amount = 1`, ["42501", "23001"]],
  ])("%s", async (_, sql, states) => {
    expect(states).toContain(await as((pool) => refusal(pool, sql)));
  });
});

test("the service's login has no rights of its own", async () => {
  const settings = testSettings({ POSTGRES_DB: database });
  const bare = createServicePool(settings, {
    role: "none",
    schema: "wallet",
    max: 1,
    applicationName: "bare",
  });
  try {
    expect(await refusal(bare, "SELECT FROM wallet.wallet")).toBe("42501");
    expect(await refusal(service, "SELECT FROM payments.txn")).toBe("42501");
  } finally {
    await bare.end();
  }
});

/** As a superuser may: triggers and keys off. */
test.each([
  ["a balance", `UPDATE wallet.wallet SET balance = balance + 1 WHERE wallet_id = '${usd}'`],
  ["a wallet that is gone", `DELETE FROM wallet.wallet WHERE wallet_id = '${usd}'`],
  ["an amount that moved", "UPDATE wallet.movement SET amount = amount + 1 WHERE kind = 'debit'"],
  ["a currency that moved", "UPDATE wallet.movement SET currency = 'EUR' WHERE kind = 'debit'"],
  ["an end that moved", `UPDATE wallet.movement SET to_id = '${fundingId("USD")}' WHERE kind = 'debit'`],
  ["a refund to another user", `UPDATE wallet.wallet SET user_id = 'eve' WHERE wallet_id = '${usd}'`],
  ["a movement that is gone", "DELETE FROM wallet.movement WHERE kind = 'refund'"],
  ["a decided amount", "UPDATE wallet.decision SET amount = amount + 1"],
  ["a decided wallet", `UPDATE wallet.decision SET wallet_id = '${eur}'`],
  ["a decided user", "UPDATE wallet.decision SET user_id = 'eve'"],
  ["what was refunded", "UPDATE wallet.decision SET refunded = refunded + 1 WHERE outcome = 'approved'"],
  ["a reference's amount", `UPDATE wallet.reference SET amount = amount + 1 WHERE wallet_id = '${usd}'`],
  [
    "a reference's wallet",
    `UPDATE wallet.reference SET reference = 'moved', wallet_id = '${eur}' WHERE wallet_id = '${usd}'`,
  ],
  ["a reference that is gone", `DELETE FROM wallet.reference WHERE wallet_id = '${usd}'`],
])("the audit names %s that was changed by hand", async (_, sql) => {
  await tamper(async (client) => {
    expect(await audit(client)).toBe(0);
    expect((await client.query(sql)).rowCount).toBeGreaterThan(0);
    expect(await audit(client)).toBeGreaterThan(0);
  });
});

test("the audit names each amount of each row that was changed by hand, in whatever table", async () => {
  await tamper(async (client) => {
    const { rows: columns } = await client.query<{ table: string; column: string }>(`
      SELECT c.table_name AS table, c.column_name AS column
      FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
      WHERE table_schema = 'wallet' AND t.table_type = 'BASE TABLE' AND data_type IN ('bigint', 'numeric')
        -- Partitions are seen through their tables; how many wallets were seeded is no amount.
        AND table_name !~ '_(default|p[0-9_]+)$' AND (table_name, column_name) <> ('seeding', 'wallets')
      ORDER BY 1, 2`);
    const changed: string[] = [];
    const unnamed: string[] = [];
    for (const { table, column } of columns) {
      const amounts = `SELECT tableoid::regclass::text AS part, ctid FROM wallet.${table} WHERE ${column} IS NOT NULL`;
      const { rows } = await client.query<{ part: string; ctid: string }>(amounts);
      for (const { part, ctid } of rows) {
        await client.query("SAVEPOINT untouched");
        const update = `UPDATE ${part} SET ${column} = ${column} + 1 WHERE ctid = '${ctid}'`;
        const refused = await client.query(update).then(
          () => false,
          (error: { code: string }) => error.code === "23514",
        );
        if (!refused && (await audit(client)) === 0) {
          unnamed.push(`${table}.${column}`);
        }
        await client.query("ROLLBACK TO untouched");
        changed.push(`${table}.${column}`);
      }
    }
    expect(unnamed).toEqual([]);
    expect([...new Set(changed)]).toEqual(
      [
        "decision.amount",
        "decision.refunded",
        "movement.amount",
        "reference.amount",
        "reference.balance",
      ].concat(["seeding.amount", "wallet.balance"]),
    );
  });
});

const audit = async (client: Queryable) =>
  (await client.query("SELECT FROM wallet.audit_difference")).rowCount ?? 0;

/** Works as one who may turn triggers and keys off; all of it is undone. */
async function tamper(work: (client: Queryable) => Promise<void>): Promise<void> {
  await withPool({ role: "admin", database }, async (pool) => {
    const client = await pool.connect();
    try {
      await client.query("SET ROLE payments_owner; BEGIN; SET CONSTRAINTS ALL DEFERRED");
      for (const [table, trigger] of TRIGGERS) {
        await client.query(`ALTER TABLE wallet.${table} DISABLE TRIGGER ${trigger}`);
      }
      for (const [table, constraint] of KEYS) {
        await client.query(`ALTER TABLE wallet.${table} DROP CONSTRAINT ${constraint}`);
      }
      await work(client);
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });
}

const TRIGGERS = [
  ["movement", "movement_final"],
  ["decision", "decision_final"],
  ["reference", "reference_final"],
] as const;
const KEYS = [
  ["movement", "movement_from_id_currency_fkey"],
  ["movement", "movement_to_id_currency_fkey"],
  ["decision", "decision_wallet_id_fkey"],
  ["reference", "reference_wallet_id_fkey"],
] as const;
