import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { workerLease } from "../etl/ledger/worker.js";
import { silentLogger } from "../lib/observability/log.js";
import { messageMetrics } from "../lib/observability/message_metrics.js";
import { createRegistry, register } from "../lib/observability/registry.js";
import { Lease } from "../lib/runtime/lease.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";

const TIMES = { beatMs: 50, leaseMs: 500 };

let platform: Platform;
const leases: Lease[] = [];
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(async () => {
  vi.useRealTimers();
  for (const lease of leases.splice(0)) {
    await lease.stop();
  }
  await platform.close();
});

async function startLease(name: string): Promise<Lease> {
  const lease = new Lease({
    pool: platform.pool,
    workerId: name,
    statements: workerLease,
    logger: silentLogger,
    metrics: register(createRegistry(), messageMetrics),
    times: TIMES,
  });
  leases.push(lease);
  await lease.start();
  return lease;
}

const beatOf = (name: string) =>
  platform
    .value<Date>("SELECT heartbeat_at FROM etl.worker WHERE worker_id = $1", [name])
    .then((at) => at.getTime());

test("a wall clock that jumps an hour either way costs nobody the lease", async () => {
  for (const name of ["a", "b"]) {
    await startLease(name);
  }
  for (const jumpMs of [3_600_000, -3_600_000]) {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + jumpMs });
    const from = await beatOf("a");
    await eventually("ten more beats", async () => (await beatOf("a")) > from + 10 * TIMES.beatMs);
  }
  expect(await platform.value("SELECT count(*) FROM etl.worker WHERE reaped_at IS NOT NULL")).toBe(0);
});

test("one that falls silent is reaped once, and is believed again when it beats", async () => {
  await platform.pool.query(
    "INSERT INTO etl.worker (worker_id, heartbeat_at) VALUES ('gone', now() - interval '1 hour')",
  );
  await startLease("alive");
  const reaped = () =>
    platform.value<Date | null>("SELECT reaped_at FROM etl.worker WHERE worker_id = 'gone'");
  const first = await eventually("reaped", async () => (await reaped()) ?? undefined);
  const from = await beatOf("alive");
  await eventually("more beats", async () => (await beatOf("alive")) > from + 5 * TIMES.beatMs);
  expect(await reaped()).toEqual(first);
  await startLease("gone");
  expect(await reaped()).toBeNull();
});
