import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../lib/domain/ids.js";
import type { Pool, Queryable } from "../lib/postgres/pool.js";
import { createServicePool } from "../lib/postgres/service_pool.js";
import { postpone } from "../services/payments/store/overdue.js";
import { findSettled } from "../services/payments/store/payment.js";
import { meetPayments } from "../services/payments/store/transition.js";
import { findDecisions, lockDecisions } from "../services/wallet/store/decision.js";
import { findRefunds } from "../services/wallet/store/movement.js";
import { createDatabase, dropDatabase } from "./harness/database.js";
import { testSettings } from "./harness/settings.js";

/** A database with twelve months of each partitioned table. */
let database: string;
let pools: Record<"saga" | "wallet", Pool>;
beforeAll(async () => {
  database = await createDatabase("migrated");
  const poolOf = (schema: string) =>
    createServicePool(testSettings({ POSTGRES_DB: database }), {
      role: `payments_${schema}`,
      schema,
      max: 1,
      applicationName: "months",
    });
  pools = { saga: poolOf("saga"), wallet: poolOf("wallet") };
  await pools.saga.query("SELECT ops.add_months('saga.payment', 12), ops.add_months('saga.step', 12)");
  await pools.wallet.query(
    "SELECT ops.add_months('wallet.decision', 12), ops.add_months('wallet.movement', 12)",
  );
});
afterAll(async () => {
  await Promise.all(Object.values(pools ?? {}).map((pool) => pool.end()));
  await dropDatabase(database);
});

interface Node {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Loops": number;
  readonly Plans?: readonly Node[];
}

const tablesRead = (node: Node): string[] => [
  ...(node["Node Type"].endsWith("Scan") && node["Actual Loops"] > 0
    ? [node["Relation Name"] ?? []].flat()
    : []),
  ...(node.Plans ?? []).flatMap(tablesRead),
];

const literal = (value: unknown): string =>
  `'${Array.isArray(value) ? `{${value.map((each) => each ?? "NULL").join()}}` : value}'`;

/** Tables that a statement reads; a store's function runs it. Planned as services have it, before the values are known. */
async function readBy(pool: Pool, run: (db: Queryable) => Promise<unknown>): Promise<string[]> {
  const tables: string[] = [];
  const explaining = {
    query: async ({ text, values }: { text: string; values: unknown[] }) => {
      await pool.query(`PREPARE explained AS ${text}`);
      const { rows } = await pool.query(
        `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE explained (${values.map(literal)})`,
      );
      await pool.query("DEALLOCATE explained");
      tables.push(...tablesRead(rows[0]["QUERY PLAN"][0].Plan));
      return { rows: [] };
    },
  } as unknown as Queryable;
  await run(explaining);
  return [...new Set(tables)].sort();
}

const ids = Array.from({ length: 200 }, newId);
const MONTH = new Date().toISOString().slice(0, 7).replace("-", "_");

test.each<[string, "saga" | "wallet", string, (db: Queryable) => Promise<unknown>]>([
  ["finding decisions", "wallet", "decision", (db) => findDecisions(db, ids)],
  ["locking decisions", "wallet", "decision", (db) => lockDecisions(db, ids)],
  [
    "finding refunds",
    "wallet",
    "movement",
    (db) =>
      findRefunds(
        db,
        ids.map((id) => ({ paymentId: id, movementId: id })),
      ),
  ],
  ["finding what is settled", "saga", "payment", (db) => findSettled(db, ids)],
  [
    "meeting payments",
    "saga",
    "payment",
    (db) =>
      meetPayments(
        db,
        "payments.checked",
        ids.map((id) => ({ paymentId: id, messageId: id })),
      ),
  ],
  ["postponing", "saga", "payment", (db) => postpone(db, ids, { resendAfterS: 60, giveUpS: 900 })],
])("%s of this month reads no other month of %s.%s", async (_, schema, table, run) => {
  const months = (await readBy(pools[schema], run)).filter((name) => name.startsWith(`${table}_`));
  expect(months).toEqual([`${table}_${MONTH}`]);
});
