import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { newSecret, Receiver, status } from "../../tests/harness/receiver.js";
import { testSettings } from "../../tests/harness/settings.js";
import { silentLogger } from "../observability/log.js";
import { createRegistry, register } from "../observability/registry.js";
import type { Pool } from "../postgres/pool.js";
import { createServicePool } from "../postgres/service_pool.js";
import { webhookChore } from "./keeping.js";
import { webhookMetrics } from "./metrics.js";
import { WebhookTable, webhookState } from "./table.js";
import { Webhooks, type WebhooksOptions } from "./webhooks.js";

const CONCURRENCY = 4;
let database: string;
let pool: Pool;
let receiver: Receiver;
const running: Webhooks[] = [];

beforeAll(async () => {
  database = await createDatabase("migrated");
  const options = { role: "payments_saga", schema: "saga", max: 4, applicationName: "webhooks" };
  pool = createServicePool(testSettings({ POSTGRES_DB: database }), options);
});
afterAll(async () => {
  await pool?.end();
  await dropDatabase(database);
});
beforeEach(async () => {
  receiver = await Receiver.open();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((webhooks) => webhooks.stop()));
  await receiver.close();
  await pool.query("DELETE FROM saga.webhook");
  await pool.query("DELETE FROM saga.webhook_stop");
});

async function start(options: Partial<WebhooksOptions> = {}) {
  const registry = createRegistry();
  const webhooks = new Webhooks({
    schema: "saga",
    service: "test-service",
    pool,
    logger: silentLogger,
    metrics: register(registry, webhookMetrics),
    target: receiver.target,
    concurrency: CONCURRENCY,
    present: (data) => data as object,
    ...options,
  });
  running.push(webhooks);
  await webhooks.start();
  const count = async (result: string) => {
    const text = await registry.getSingleMetricAsString("payments_webhook_attempts_total");
    return Number(new RegExp(`result="${result}"} (\\d+)`).exec(text)?.[1] ?? 0);
  };
  return { webhooks, count };
}

/** @returns their ids */
async function enter(many: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO saga.webhook (type, data) SELECT 'test.made', jsonb_build_object('n', n) FROM generate_series(1, $1) n RETURNING id`,
    [many],
  );
  return rows.map(({ id }) => id);
}

interface Row {
  readonly state: string;
  readonly attempts: number;
  readonly result: string | null;
  readonly inS: number;
}

async function rows(): Promise<Row[]> {
  const found = await pool.query<Row>(
    `SELECT state, attempts, last_result AS result, extract(epoch FROM next_at - now())::float8 AS "inS"
     FROM saga.webhook ORDER BY id`,
  );
  return found.rows;
}

const all = (state: string) => async () => (await rows()).every((row) => row.state === state);
/** As if the time of their waits and leases had passed. */
const due = () => pool.query("UPDATE saga.webhook SET next_at = now() WHERE state = 'pending'");
const owner = (sql: string) =>
  withPool({ role: "admin", database }, async (admin) => {
    await admin.query("SET ROLE payments_owner");
    await admin.query(sql);
  });

test("two processes deliver each once, signed, with its type and time", async () => {
  const ids = await enter(200);
  const counts = [(await start()).count, (await start()).count];
  await eventually("all delivered", all("delivered"));
  expect(receiver.ids.toSorted()).toEqual(ids.toSorted());
  expect(receiver.forged).toEqual([]);
  const [first] = receiver.received;
  expect(first?.body).toEqual({
    type: "test.made",
    timestamp: expect.any(String),
    data: { n: expect.any(Number) },
  });
  expect(Math.abs(Date.parse(first?.body.timestamp) - Date.now())).toBeLessThan(60_000);
  const delivered = await Promise.all(counts.map((count) => count("delivered")));
  expect(delivered.reduce((sum, each) => sum + each, 0)).toBe(200);
  expect(await rows()).toContainEqual(expect.objectContaining({ attempts: 1, result: "204" }));
});

test("500, a time-out, then 200: the same webhook-id and body, later each time", async () => {
  receiver.answer = (response, _, nth) => {
    if (nth !== 2) {
      response.writeHead(nth === 1 ? 500 : 200).end();
    }
  };
  const [id] = await enter(1);
  const { count } = await start({ client: { timeoutMs: 3_000 } });
  for (const [attempts, result, leastS] of [
    [1, "500", 5],
    [2, "TIMEOUT", 300],
  ] as const) {
    const row = await eventually(result, async () =>
      (await rows()).find((each) => each.attempts === attempts),
    );
    expect(row).toMatchObject({ state: "pending", result });
    expect(row.inS).toBeGreaterThan(leastS - 3);
    expect(row.inS).toBeLessThanOrEqual(leastS * 1.2);
    await due();
  }
  await eventually("delivered", all("delivered"));
  expect(receiver.ids).toEqual([id, id, id]);
  expect(new Set(receiver.received.map(({ text }) => text)).size).toBe(1);
  expect(receiver.forged).toEqual([]);
  expect([await count("failed"), await count("delivered"), await count("given_up")]).toEqual([2, 1, 0]);
});

test("the last attempt in vain ends it; it may be begun anew", async () => {
  receiver.answer = status(404);
  await enter(1);
  await pool.query("UPDATE saga.webhook SET attempts = 9");
  const { count } = await start();
  await eventually("given up", all("failed"));
  expect(await rows()).toMatchObject([{ attempts: 10, result: "404" }]);
  expect(await count("given_up")).toBe(1);
  expect(await webhookState(pool, "saga")).toMatchObject({ pending: 0, givenUp: 1, stopped: false });
  receiver.answer = status(200);
  expect(await new WebhookTable(pool, "saga").retryFailed()).toBe(1);
  await eventually("delivered", all("delivered"));
  expect(await rows()).toMatchObject([{ attempts: 1 }]);
});

test("a receiver that is dead for long is left alone but for one question at a time; then all goes on", async () => {
  const { port, secret } = receiver;
  await receiver.close();
  const ids = await enter(100);
  const since = performance.now();
  const { count } = await start({ breaker: { failures: 5, pauseMs: 300 } });
  // Those that were under way when the fifth failed, and one each time.
  await eventually("three questions", async () => (await count("failed")) >= 5 + CONCURRENCY - 1 + 3);
  expect(performance.now() - since).toBeGreaterThan(3 * 300);
  // Those that were not tried have not lost an attempt.
  expect((await rows()).filter(({ attempts }) => attempts === 0).length).toBeGreaterThan(80);
  receiver = await Receiver.open({ port, secret });
  await due();
  await eventually("all delivered", all("delivered"));
  expect(receiver.ids.toSorted()).toEqual(ids.toSorted());
  expect(receiver.forged).toEqual([]);
});

test("what a receiver refuses keeps nothing else waiting", async () => {
  receiver.answer = status(404);
  await enter(20);
  const { count } = await start();
  await eventually("all refused", async () => (await rows()).every(({ attempts }) => attempts === 1));
  await eventually("counted", async () => (await count("failed")) === 20);
});

test("whoever is asked to come later does", async () => {
  receiver.answer = (response, _, nth) => {
    response.writeHead(nth === 2 ? 200 : 429, { "retry-after": nth === 1 ? "1" : "1000" }).end();
  };
  await enter(3);
  await start({ concurrency: 1 });
  await eventually("all asked", async () => (await rows()).every(({ result }) => result !== null));
  const [first, second, third] = receiver.received.map(({ atMs }) => atMs) as [number, number, number];
  expect(second - first).toBeGreaterThan(1_000);
  expect(third - second).toBeLessThan(1_000);
  // Later than the schedule has it.
  expect(Math.max(...(await rows()).map(({ inS }) => inS))).toBeGreaterThan(990);
});

test("410 stops all processes until somebody resumes them", async () => {
  receiver.answer = status(410);
  await enter(1);
  await Promise.all([start(), start()]);
  await eventually("stopped", async () => (await webhookState(pool, "saga")).stopped);
  await eventually("kept", async () => (await rows())[0]?.attempts === 1);
  receiver.answer = status(200);
  await enter(20);
  const table = new WebhookTable(pool, "saga");
  expect(await table.claim(5)).toEqual([]);
  expect(await webhookState(pool, "saga")).toMatchObject({ pending: 21, stopped: true });
  expect([await table.resume(), await table.resume()]).toEqual([true, false]);
  await eventually("all delivered", all("delivered"));
  expect(receiver.received).toHaveLength(22);
});

test("while one key takes the other's place both verify", async () => {
  const another = newSecret();
  await enter(1);
  await start({ target: { ...receiver.target, secrets: `${another} ${receiver.secret}` } });
  await eventually("delivered", all("delivered"));
  expect(receiver.forged).toEqual([]);
  expect(String(receiver.received[0]?.headers["webhook-signature"]).split(" ")).toHaveLength(2);
});

test("internal addresses are refused, and nothing arrives", async () => {
  await enter(1);
  await start({
    target: { ...receiver.target, url: `http://localhost:${receiver.port}/`, allowInternal: false },
  });
  await eventually("refused", async () => (await rows())[0]?.result === "ADDRESS_REFUSED");
  expect(receiver.received).toEqual([]);
});

test("what is under way at the end counts no attempt, and another process sends it", async () => {
  receiver.answer = () => undefined;
  const [id] = await enter(1);
  const { webhooks } = await start();
  await eventually("under way", () => receiver.received.length === 1);
  running.length = 0;
  await webhooks.stop();
  expect(await rows()).toMatchObject([{ state: "pending", attempts: 0 }]);
  receiver.answer = status(200);
  await start();
  await eventually("delivered", all("delivered"));
  expect(receiver.ids).toEqual([id, id]);
});

test("what a dead process holds is sent when its lease is over, not before", async () => {
  const ids = await enter(5);
  const table = new WebhookTable(pool, "saga");
  expect(await table.claim(2)).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
  expect(await table.claim(5)).toHaveLength(3);
  expect((await rows()).every(({ inS }) => inS > 50)).toBe(true);
  expect(await table.claim(5)).toEqual([]);
  await due();
  await start();
  await eventually("delivered", all("delivered"));
  expect(receiver.ids.toSorted()).toEqual(ids.toSorted());
});

test("no more are claimed than asked for, also where PostgreSQL believes that there is one row", async () => {
  await enter(1);
  await owner("ANALYZE saga.webhook");
  await enter(4);
  for (const left of [4, 3, 2]) {
    expect(await new WebhookTable(pool, "saga").claim(1)).toHaveLength(1);
    expect((await rows()).filter(({ inS }) => inS <= 0)).toHaveLength(left);
  }
});

test("what is over is given up, what is old goes, and nothing else", async () => {
  await enter(5);
  const set = (n: number, what: string) => owner(`UPDATE saga.webhook SET ${what} WHERE data->>'n' = '${n}'`);
  await set(1, "expires_at = now()");
  await set(2, "state = 'delivered', ended_at = now() - interval '61 seconds'");
  await set(3, "state = 'delivered', ended_at = now() - interval '59 seconds'");
  await set(4, "state = 'failed', ended_at = now() - interval '31 days'");
  await webhookChore(pool, "saga", 60).run();
  const left = await pool.query(
    "SELECT (data->>'n')::integer AS n, state, last_result AS result FROM saga.webhook ORDER BY 1",
  );
  expect(left.rows).toEqual([
    { n: 1, state: "failed", result: "EXPIRED" },
    { n: 3, state: "delivered", result: null },
    { n: 5, state: "pending", result: null },
  ]);
});

test("the service may not change what is told", async () => {
  await enter(1);
  for (const change of ["data = '{}'", "type = 'x'", "id = gen_random_uuid()", "entered_at = now()"]) {
    await expect(pool.query(`UPDATE saga.webhook SET ${change}`)).rejects.toMatchObject({ code: "42501" });
  }
});
