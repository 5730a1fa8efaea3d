import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";

const read = (path: string) => readFileSync(join(packageRoot, path), "utf8");
const citus = read("db/citus.sql");
const distributed = [...citus.matchAll(/create_distributed_table\('([\w.]+)', '(\w+)'/g)].map(
  ([, table = "", column = ""]) => [table, column] as const,
);
/** Queues and notes, by their names in each schema, and what has a handful of rows. */
const LOCAL = /\.(outbox|idempotency|illegal_transition|webhook|webhook_stop|transition|seeding)$/;

it("distributes every table of payments and wallets that migrations make, but queues, notes and lists", () => {
  const made = [...read("db/schema.sql").matchAll(/^CREATE TABLE ((?:saga|wallet)\.\w+)/gm)]
    .map(([, table = ""]) => table)
    .filter((table) => !table.endsWith("_default"));
  const named = distributed.map(([table]) => table);
  expect(made.length).toBeGreaterThan(named.length);
  expect([...named, ...made.filter((table) => LOCAL.test(table))].sort()).toEqual(made.sort());
});

it("takes the triggers of all of them, and of no other", () => {
  const [, listed = ""] = /ARRAY\[(.*?)\]::regclass/s.exec(citus) ?? [];
  const tables = [...listed.matchAll(/'([\w.]+)'/g)].map(([, table]) => table);
  expect(tables.sort()).toEqual(distributed.map(([table]) => table).sort());
});
