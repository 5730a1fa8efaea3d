import { afterAll, beforeAll, expect, test } from "vitest";
import { createDatabase, dropDatabase } from "../../tests/harness/database.js";
import { testSettings } from "../../tests/harness/settings.js";
import type { Pool } from "../postgres/pool.js";
import { createServicePool } from "../postgres/service_pool.js";
import { RateLimit } from "./rate_limit.js";

let database: string;
let pool: Pool;
beforeAll(async () => {
  database = await createDatabase("migrated");
  const of = { role: "payments_collector", schema: "collector", max: 4, applicationName: "limits" };
  pool = createServicePool(testSettings({ POSTGRES_DB: database }), of);
});
afterAll(async () => {
  await pool?.end();
  await dropDatabase(database);
});

const limitOf = (quota: number, windowS = 60) =>
  new RateLimit({ pool, table: "rate_limit", name: "events", quota, windowS });
const allowed = async (limit: RateLimit, key: string, costs: readonly number[]) =>
  (await Promise.all(costs.map((cost) => limit.take(key, cost)))).map((draw) => draw.allowed);
const ones = (n: number) => Array<number>(n).fill(1);

test("of callers at once, in two processes, as many are let in as there is quota", async () => {
  const [one, other] = [limitOf(50), limitOf(50)];
  const all = await Promise.all([allowed(one, "a", ones(40)), allowed(other, "a", ones(40))]);
  const count = all.flat().filter(Boolean).length;
  // While one process finds out what fits the other may be refused: fewer, never more.
  expect(count).toBeLessThanOrEqual(50);
  expect(count).toBeGreaterThanOrEqual(40);
});

test("of a group that does not fit what fits is let in, in the order of its coming; other keys are their own", async () => {
  const limit = limitOf(10);
  expect(await Promise.all([allowed(limit, "b", [4, 4, 4, 2]), allowed(limit, "c", [10])])).toEqual([
    [true, true, false, false],
    [true],
  ]);
});

test("tells what is left, and when there is more", async () => {
  const limit = limitOf(10);
  expect((await limit.take("d", 4)).headers).toEqual({
    "ratelimit-policy": '"events";q=10;w=60',
    ratelimit: expect.stringMatching(/^"events";r=6;t=(60|59)$/),
  });
  await limit.take("d", 6);
  expect((await limit.take("d", 1)).headers).toMatchObject({
    ratelimit: expect.stringMatching(/^"events";r=0;t=\d+$/),
    "retry-after": expect.stringMatching(/^(60|5\d)$/),
  });
});

test("refuses by itself what it knows to be used up, and gives anew in the next window", async () => {
  const limit = limitOf(1, 3);
  expect(await allowed(limit, "e", [1])).toEqual([true]);
  const { query } = pool;
  pool.query = (() => Promise.reject(new Error("it asked"))) as unknown as typeof query;
  expect(await allowed(limit, "e", ones(3))).toEqual([false, false, false]);
  pool.query = query;
  await expect.poll(() => allowed(limit, "e", [1]), { timeout: 10_000 }).toEqual([true]);
});
