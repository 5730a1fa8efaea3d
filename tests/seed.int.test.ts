import { afterAll, beforeAll, expect, test } from "vitest";
import { seed } from "../etl/seed/seed.js";
import { requireSeed } from "../etl/seed/state.js";
import { CATEGORIES, COUNTRIES, POPULATION } from "../etl/world/world.js";
import { createPool, type Pool } from "../lib/postgres/pool.js";
import { createDatabase, dropDatabase, withPool } from "./harness/database.js";
import { testSettings } from "./harness/settings.js";

let databases: string[];
let pool: Pool;
let other: Pool;
/** What two seeds at the same time said of themselves, on the first database. */
let seeded: boolean[];

beforeAll(async () => {
  databases = [await createDatabase("migrated"), await createDatabase("migrated")];
  const [first, second] = databases.map((database) => createPool(testSettings(), { database, max: 2 }));
  if (first === undefined || second === undefined) {
    throw new Error("two databases, two pools");
  }
  [pool, other] = [first, second];
  seeded = await Promise.all([seed(pool), seed(pool)]);
  await seed(other);
});
afterAll(async () => {
  await pool.end();
  await other.end();
  for (const database of databases) {
    await dropDatabase(database);
  }
});

/** One value of one row. */
async function value<T = number>(sql: string, on = pool): Promise<T> {
  const { rows } = await on.query(sql);
  return Object.values(rows[0])[0] as T;
}

/** All dimensions as one fingerprint. */
async function fingerprint(on: Pool): Promise<string[]> {
  const tables = ["account", "merchant", "terminal"];
  return Promise.all(
    tables.map((t) =>
      value<string>(`SELECT md5(string_agg(md5(x::text), '' ORDER BY ${t}_id)) FROM ${t} x`, on),
    ),
  );
}

test("of two seeds at the same time one makes the dimensions, the other finds them", async () => {
  expect(seeded.toSorted()).toEqual([false, true]);
  expect(await value("SELECT count(*) FROM account")).toBe(100_000);
  expect(await value("SELECT count(*) FROM merchant")).toBe(5_000);
  expect(await value("SELECT count(*) FROM terminal")).toBe(20_000);
  const { rows } = await pool.query("SELECT seed, accounts, merchants, terminals FROM etl.population");
  expect(rows).toEqual([POPULATION]);
});

test("another database gets the same, and a second seed changes nothing", async () => {
  const before = await fingerprint(pool);
  expect(await fingerprint(other)).toEqual(before);
  expect(await seed(pool)).toBe(false);
  expect(await fingerprint(pool)).toEqual(before);
});

test("ids run from 1 without gaps, as the generator takes for granted", async () => {
  for (const table of ["account", "merchant", "terminal"]) {
    const { rows } = await pool.query(
      `SELECT min(${table}_id) AS first, max(${table}_id) = count(*) AS gapless FROM ${table}`,
    );
    expect(rows).toEqual([{ first: 1, gapless: true }]);
  }
});

test("every terminal suits its merchant, and every merchant has one", async () => {
  const merchants = await value("SELECT count(DISTINCT merchant_id) FROM terminal");
  expect(merchants).toBe(POPULATION.merchants);
  // Cash machines and nothing else are at the merchants that keep cash machines.
  const cash = CATEGORIES.filter((category) => category.cash).map((category) => category.mcc);
  const { rows } = await pool.query(
    "SELECT DISTINCT mcc FROM terminal JOIN merchant USING (merchant_id) WHERE channel = 'atm' ORDER BY mcc",
  );
  expect(rows.map((row) => row.mcc)).toEqual(cash);
  const mixed = `SELECT count(*) FROM terminal JOIN merchant USING (merchant_id)
                 WHERE mcc = ANY ('{${cash}}') AND channel <> 'atm'`;
  expect(await value(mixed)).toBe(0);
});

test("countries, currencies, categories and networks go together as in the world they were made from", async () => {
  const countries = COUNTRIES.map(({ code, currency }) => `${code} ${currency}`).sort();
  for (const table of ["account", "merchant"]) {
    const { rows } = await pool.query(`SELECT DISTINCT country || ' ' || currency AS pair FROM ${table}`);
    expect(rows.map((row) => row.pair).sort()).toEqual(countries);
  }
  const { rows } = await pool.query("SELECT DISTINCT mcc || ' ' || category AS pair FROM merchant");
  expect(rows.map((row) => row.pair).sort()).toEqual(CATEGORIES.map((c) => `${c.mcc} ${c.name}`).sort());
  const bins = await pool.query("SELECT DISTINCT card_network, card_bin FROM account ORDER BY card_network");
  expect(bins.rows).toEqual([
    { card_network: "amex", card_bin: "378282" },
    { card_network: "discover", card_bin: "601111" },
    { card_network: "mastercard", card_bin: "555555" },
    { card_network: "visa", card_bin: "411111" },
  ]);
});

test("tokens and addresses are unique, and the addresses can be nobody's", async () => {
  expect(await value("SELECT count(DISTINCT card_token) FROM account")).toBe(POPULATION.accounts);
  expect(await value("SELECT count(DISTINCT email) FROM account")).toBe(POPULATION.accounts);
  expect(await value(`SELECT count(*) FROM account WHERE email !~ '^[a-z0-9]+@example\\.com$'`)).toBe(0);
  expect(await value(`SELECT count(*) FROM account WHERE card_token !~ '^tok_[a-p]{16}$'`)).toBe(0);
});

test("no text column holds anything that looks like a card number", async () => {
  const columns = await pool.query<{ table: string; column: string }>(
    `SELECT table_name AS table, column_name AS column FROM information_schema.columns
     WHERE table_schema = 'payments' AND table_name IN ('account', 'merchant', 'terminal') AND data_type = 'text'`,
  );
  expect(columns.rows.length).toBeGreaterThan(10);
  for (const { table, column } of columns.rows) {
    // Separators too: 4111 1111 1111 1111 is a card number as well.
    const found = await value(`SELECT count(*) FROM ${table} WHERE ${column} ~ '([0-9][ -]?){13,}'`);
    expect({ table, column, found }).toEqual({ table, column, found: 0 });
  }
});

test("dimensions that another release made are refused", async () => {
  await withPool({ role: "admin", database: databases[1] ?? "" }, (admin) =>
    admin.query("UPDATE etl.population SET seed = seed + 1"),
  );
  const refusal = { code: "NOT_SEEDED", message: expect.stringContaining("another release") };
  await expect(seed(other)).rejects.toMatchObject(refusal);
  await expect(requireSeed(other)).rejects.toMatchObject(refusal);
  expect(await value("SELECT count(*) FROM account", other)).toBe(POPULATION.accounts);
});
