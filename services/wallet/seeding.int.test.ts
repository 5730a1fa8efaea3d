import { afterAll, beforeAll, expect, test } from "vitest";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { testSettings } from "../../tests/harness/settings.js";
import { seedWallets } from "./store/seeding.js";

let database: string;
let pool: Pool;
beforeAll(async () => {
  database = await createDatabase("seeded");
  const settings = testSettings({ POSTGRES_DB: database });
  pool = createServicePool(settings, {
    role: "payments_wallet",
    schema: "wallet",
    max: 2,
    applicationName: "seed",
    bulk: true,
  });
});
afterAll(async () => {
  await pool?.end();
  await dropDatabase(database);
});

const seed = async () =>
  (await transaction(pool, seedWallets)).reduce((sum, { wallets }) => sum + wallets, 0);

test("each account gets one wallet, funded by a movement; whoever seeds at the same time or again makes none", async () => {
  const [one, other] = await Promise.all([seed(), seed()]);
  expect([one, other].sort((a, b) => a - b)).toEqual([0, 100_000]);
  expect(await seed()).toBe(0);
  // In their month, and so does a service's start, also where DEFAULT has rows of a month already.
  const months = await pool.query("SELECT tableoid::regclass::text AS place FROM wallet.movement GROUP BY 1");
  expect(months.rows).toEqual([{ place: expect.stringMatching(/^(wallet\.)?movement_\d{4}_\d{2}$/) }]);
  await withPool({ role: "admin", database }, async (db) => {
    await db.query("SET ROLE payments_owner");
    await db.query(`DROP TABLE wallet.decision_${months.rows[0]?.place.slice(-7)}`);
    await db.query(`INSERT INTO wallet.decision (payment_id, outcome, reason, user_id, message_id, seal)
                    SELECT id, 'declined', 'unknown_wallet', 'x', 'm',
                           wallet.seal(id::text, 'declined', 'unknown_wallet', 'x', NULL, NULL, NULL)
                    FROM ops.uuid_v7() id`);
  });
  await pool.query("SELECT ops.add_months('wallet.decision', 3)");
  const { rows } = await pool.query(
    `SELECT user_id, currency, balance FROM wallet.wallet WHERE user_id IN ('customer-123', 'customer-1050', 'customer-1101')
     ORDER BY user_id`,
  );
  expect(rows).toEqual([
    { user_id: "customer-1050", currency: expect.any(String), balance: 0n },
    { user_id: "customer-1101", currency: expect.any(String), balance: expect.any(BigInt) },
    { user_id: "customer-123", currency: "USD", balance: 100_000_000n },
  ]);
  const differences = await withPool({ role: "loader", database }, (db) =>
    db.query("SELECT * FROM wallet.audit_difference"),
  );
  expect(differences.rows).toEqual([]);
});
