import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import type { Pool, Queryable } from "../lib/postgres/pool.js";
import { createServicePool } from "../lib/postgres/service_pool.js";
import { isPurged, type PurgedTable, purge } from "../lib/runtime/retention.js";
import { eventually } from "./harness/eventually.js";
import { Services } from "./harness/service.js";

const DECLARED = MODULES.flatMap(({ retention }) => retention);
/** The pipeline's tables are its ledger and its product: what goes of them goes with a run or a month. */
const MODULES_WITH_RETENTION = MODULES.filter(({ name }) => name !== "etl");

let services: Services;
/** As the wallet's own process has it. */
let pool: Pool;
const poolOf = (schema: string) =>
  createServicePool(services.settings, {
    role: `payments_${schema}`,
    schema,
    max: 2,
    applicationName: "retention",
  });
beforeAll(async () => {
  services = await Services.create({}, "wallet");
  pool = poolOf("wallet");
});
afterAll(async () => {
  await pool?.end();
  await services?.close();
});
beforeEach(() => services.owner("TRUNCATE wallet.idempotency"));

const KEYS = DECLARED.find(({ table }) => table === "wallet.idempotency") as PurgedTable;

/** Keys of 25 hours ago and of 23. */
async function enterKeys(counts: { readonly old: number; readonly young: number }): Promise<void> {
  const enter = `INSERT INTO wallet.idempotency (scope, key, fingerprint, status, headers, answer, created_at)
    SELECT 'test', $1 || n, sha256(''), 201, '{}', '', now() - $2::interval FROM generate_series(1, $3::integer) n`;
  await services.owner(enter, ["old ", "25 hours", counts.old]);
  await services.owner(enter, ["young ", "23 hours", counts.young]);
}

const keys = () =>
  services
    .owner<{ key: string }>("SELECT key FROM wallet.idempotency ORDER BY key")
    .then((rows) => rows.map(({ key }) => key));

test("every table of a module but the pipeline's is declared, and no other", async () => {
  const schemas = MODULES_WITH_RETENTION.flatMap((module) => module.schemas);
  const there = await services.owner<{ name: string }>(
    `SELECT format('%s.%s', relnamespace::regnamespace, relname) AS name FROM pg_class
     WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace::regnamespace::text = ANY ($1)`,
    [schemas],
  );
  expect(DECLARED.map(({ table }) => table).sort()).toEqual(there.map(({ name }) => name).sort());
});

test("what is kept for ever no role of a module may delete, nor what it is partitioned into", async () => {
  const kept = DECLARED.filter(({ keep }) => keep === "for ever").map(({ table }) => table);
  expect(kept.length).toBeGreaterThan(10);
  const rights = await services.owner(
    `SELECT DISTINCT relid::text, role FROM unnest($1::regclass[]) kept, unnest($2::text[]) role,
       LATERAL (SELECT kept AS relid UNION SELECT relid FROM pg_partition_tree(kept)) part
     WHERE has_table_privilege(role, relid, 'DELETE, TRUNCATE')`,
    [kept, MODULES.flatMap(({ roles }) => roles)],
  );
  expect(rights).toEqual([]);
});

test.each(DECLARED.filter(isPurged).map((each) => [each.table, each] as const))(
  "%s is purged by its own role",
  async (table, purged) => {
    const own = poolOf(table.split(".")[0] ?? "");
    try {
      expect(await purge(own, purged)).toBe(0);
    } finally {
      await own.end();
    }
  },
);

test("a purge takes the old rows in batches, and leaves the young ones", async () => {
  await enterKeys({ old: 7, young: 2 });
  const batches: (number | null)[] = [];
  const counting = {
    query: async (text: string, values: unknown[]) => {
      const result = await pool.query(text, values);
      batches.push(result.rowCount);
      return result;
    },
  } as unknown as Queryable;
  expect(await purge(counting, KEYS, 3)).toBe(7);
  expect(batches).toEqual([3, 3, 1]);
  expect(await keys()).toEqual(["young 1", "young 2"]);
});

test("a purge waits for nobody who holds a row, and nobody waits for a purge", async () => {
  await enterKeys({ old: 5, young: 0 });
  const [holder, purging] = [await pool.connect(), await pool.connect()];
  try {
    await holder.query("BEGIN");
    await holder.query("SELECT FROM wallet.idempotency WHERE key = 'old 3' FOR UPDATE");
    // In a transaction, so that all that it has locked is locked still.
    await purging.query("BEGIN; SET LOCAL lock_timeout = '1ms'");
    expect(await purge(purging, KEYS, 2)).toBe(4);
    await holder.query("SET LOCAL lock_timeout = '1ms'");
    await holder.query(
      `INSERT INTO wallet.idempotency (scope, key, fingerprint, status, headers, answer)
       VALUES ('test', 'new', sha256(''), 201, '{}', '')`,
    );
    await holder.query("UPDATE wallet.idempotency SET status = 200 WHERE key = 'old 3'");
    const seen = await holder.query("SELECT FROM wallet.idempotency WHERE key LIKE 'old %'");
    expect(seen.rowCount).toBe(5);
    await holder.query("COMMIT");
    await purging.query("COMMIT");
  } finally {
    holder.release(true);
    purging.release(true);
  }
  expect(await keys()).toEqual(["new", "old 3"]);
});

test("a service that runs purges what its module declares", async () => {
  await enterKeys({ old: 3, young: 1 });
  await services.start();
  await eventually("purged", async () => (await keys()).join() === "young 1");
  await services.stop();
});
