import { afterAll, expect, it } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { testSettings } from "../../tests/harness/settings.js";
import { createRegistry, register } from "../observability/registry.js";
import { observePool, poolMetrics } from "./observe.js";
import { createPool, transaction } from "./pool.js";

const registry = createRegistry();
const metrics = register(registry, poolMetrics);
const pool = createPool(testSettings(), { max: 2 });
observePool(pool, metrics, { service: "desk-service", pool: "requests" });
afterAll(() => pool.end());

async function seriesValue(series: string): Promise<number> {
  const line = (await registry.metrics()).split("\n").find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}
const labels = 'service="desk-service",pool="requests"';

it("a pool tells what is in use, idle and waited for", async () => {
  const held = await Promise.all([pool.connect(), pool.connect()]);
  const third = pool.query("SELECT 1");
  expect(await seriesValue(`payments_pool_connections{${labels},state="in_use"}`)).toBe(2);
  expect(await seriesValue(`payments_pool_connections{${labels},state="idle"}`)).toBe(0);
  expect(await seriesValue(`payments_pool_max_connections{${labels}}`)).toBe(2);
  expect(await seriesValue(`payments_pool_waiting{${labels}}`)).toBe(1);
  for (const client of held) {
    client.release();
  }
  await third;
  const idle = () => seriesValue(`payments_pool_connections{${labels},state="idle"}`);
  await eventually("both are idle", async () => (await idle()) === 2);
  expect(await seriesValue(`payments_pool_waiting{${labels}}`)).toBe(0);
});

it("each statement is timed once, however it is asked for, also one that fails", async () => {
  const count = () => seriesValue('payments_query_seconds_count{service="desk-service"}');
  const quick = () => seriesValue('payments_query_seconds_bucket{le="0.1",service="desk-service"}');
  const before = await count();
  await pool.query("SELECT 1");
  expect(await count()).toBe(before + 1);
  // With BEGIN and COMMIT.
  await transaction(pool, (tx) => tx.query({ name: "named", text: "SELECT $1::int", values: [1] }));
  expect(await count()).toBe(before + 4);
  await expect(pool.query("SELECT 1 / 0")).rejects.toThrow("division");
  expect(await count()).toBe(before + 5);
  const quickBefore = await quick();
  await pool.query("SELECT pg_sleep(0.12)");
  expect([await count(), await quick()]).toEqual([before + 6, quickBefore]);
});
