import { afterAll, beforeAll, expect, test } from "vitest";
import { createPool, type Pool } from "../../../lib/postgres/pool.js";
import { testSettings } from "../../../tests/harness/settings.js";
import { byValue, walk } from "./walk.js";

/** 25,000 numbers, of which every twelve thousandth is rare, and every hundredth is red. */
let pool: Pool;
beforeAll(async () => {
  pool = createPool(testSettings(), { role: "admin", max: 1 });
  await pool.query(`
    CREATE TEMPORARY VIEW numbers AS
    SELECT n AS id, n % 12000 = 0 AS is_rare, CASE WHEN n % 100 = 0 THEN 'red' ELSE 'blue' END AS colour
    FROM generate_series(1, 25000) AS n`);
});
afterAll(() => pool?.end());

interface Row {
  readonly number: number;
}

/** All pages of a list, each as the numbers that it has. */
async function pages(filters: Record<string, unknown>, before = 25_001, limit = 2): Promise<number[][]> {
  const found: number[][] = [];
  for (let at: unknown = before; at !== undefined; ) {
    const { rows, next } = await walk<Row>(pool, {
      ...{ view: "numbers", columns: "id AS number", id: "id", before: at, led: [], filters, limit },
    });
    found.push(rows.map(({ number }) => number));
    at = next;
  }
  return found;
}

test("without a filter pages are full, and the last one says so", async () => {
  expect(await pages({}, 6)).toEqual([[5, 4], [3, 2], [1]]);
  expect(await pages({ colour: undefined }, 5)).toEqual([
    [4, 3],
    [2, 1],
  ]);
  expect(await pages({}, 1)).toEqual([[]]);
});

test("what is rare is found over several pages, of which one may be empty", async () => {
  // 10,000 rows each: down to 15,001, to 5,001 and to 1.
  expect(await pages({ is_rare: true })).toEqual([[24_000], [12_000], []]);
  expect(await pages({ is_rare: true, colour: "blue" })).toEqual([[], [], []]);
});

test("what is frequent fills its pages, none twice and none left out", async () => {
  const found = await pages({ colour: "red" }, 1_001, 3);
  expect(found).toEqual([[1_000, 900, 800], [700, 600, 500], [400, 300, 200], [100]]);
});

test("what an index leads to bounds the walk", async () => {
  const { rows, next } = await walk<Row>(pool, {
    ...{ view: "numbers", columns: "id AS number", id: "id", before: 11, limit: 5, filters: {} },
    led: [undefined, [(place) => `id >= ${place}`, 9]],
  });
  expect([rows.map(({ number }) => number), next]).toEqual([[10, 9], undefined]);
});

test("what a value's own index leads to is found at once, unless another index leads", async () => {
  const find = async (indexed: readonly string[], isLed: boolean) => {
    const { rows, next } = await walk<Row>(pool, {
      ...{ view: "numbers", columns: "id AS number", id: "id", before: 24_000, limit: 1 },
      ...byValue({ column: "is_rare", value: "true", indexed, isLed }),
    });
    return [rows.map(({ number }) => number), next];
  };
  expect(await find(["true"], false)).toEqual([[12_000], undefined]);
  for (const lookedAt of [find([], false), find(["true"], true)]) {
    expect(await lookedAt).toEqual([[], 14_000]);
  }
});
