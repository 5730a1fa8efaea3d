import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { testSettings } from "../../tests/harness/settings.js";
import { type Tick, WHY } from "./domain/window.js";
import { enterTicks, markSent, takeUnsent } from "./store/tick.js";
import { openWindows, takeOrphans } from "./store/window.js";

/** What the reporter's role cannot do to its audit. */
let database: string;
let service: Pool;
const windowUuid = newId();
const tick = (seq: number, outcome: Tick["outcome"]): Tick => ({
  windowUuid,
  seq,
  status: "ok",
  outcome,
  at: new Date(),
});

beforeAll(async () => {
  database = await createDatabase("migrated");
  const of = { role: "payments_reporter", schema: "reporter", max: 1, applicationName: "hostile" };
  service = createServicePool(testSettings({ POSTGRES_DB: database }), of);
  const rates = { seed: 1, errorRate: 0, omissionRate: 0 };
  const schedule = { intervalMs: 10_000, durationMs: 40_000 };
  await openWindows(
    service,
    [{ windowUuid, service: "mallory", windowFrom: new Date(), ...rates, ...schedule }],
    "p",
  );
  const ticks = [tick(1, "sending"), tick(2, "omitted"), tick(3, "stalled")];
  const enter = async () =>
    (await enterTicks(service, [{ windowUuid, ticks, last: false }])).map((each) =>
      each.map(({ seq }) => seq),
    );
  expect(await enter()).toEqual([[1]]);
  expect(await enter()).toEqual([[1]]); // it was entered, and may not have been sent
  await markSent(service, [{ windowUuid, seq: 0 }]);
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

const set = (what: string, seq: number) => `UPDATE reporter.tick SET ${what} WHERE seq = ${seq}`;
const insert = (seq: number, status: string, outcome: string) =>
  `INSERT INTO reporter.tick (window_uuid, seq, status, outcome, ticked_at) VALUES ('${windowUuid}', ${seq}, '${status}', '${outcome}', now())`;

test.each<readonly [string, string, readonly string[]]>([
  ["send what was left out", set("outcome = 'sent'", 2), ["23001"]],
  ["send what nobody was there for", set("outcome = 'sent'", 3), ["23001"]],
  ["leave out what was to be sent", set("outcome = 'omitted'", 1), ["23001"]],
  ["take back what was sent", set("outcome = 'sending'", 0), ["23001"]],
  ["change what it reports", set("status = 'error: x'", 1), ["42501"]],
  ["audit a tick twice", insert(1, "ok", "omitted"), ["23505"]],
  ["leave a declaration out", insert(0, "ok", "omitted"), ["23514", "23505"]],
  ["audit a status that there is not", insert(4, "fine", "sent"), ["23514"]],
  ["forget a tick", "DELETE FROM reporter.tick", ["23001"]],
  ["forget a window", "DELETE FROM reporter.report_window", ["23001", "23503"]],
  ["change a seed", "UPDATE reporter.report_window SET seed = 2", ["42501"]],
])("it cannot %s", async (_, sql, codes) => {
  const client = await service.connect();
  try {
    await client.query("BEGIN");
    const code = await client.query(sql).then(
      () => "done",
      (error: { code: string }) => error.code,
    );
    expect(codes).toContain(code);
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
});

test("with its last tick the audit is complete, and a row that is gone shows", async () => {
  await enterTicks(service, [{ windowUuid, ticks: [tick(4, "omitted")], last: true }]);
  const { rows } = await service.query(
    "SELECT audited_at IS NOT NULL AS complete FROM reporter.report_window",
  );
  expect(rows).toEqual([{ complete: true }]);
});

/** A window that was opened long ago. */
async function openedLongAgo(): Promise<string> {
  const old = newId();
  await service.query(
    `INSERT INTO reporter.report_window (window_uuid, service, seed, error_rate, omission_rate, interval_ms, duration_ms, window_from,
                                         process, opened_at)
     VALUES ($1, 'mallory', 1, 0, 0, 10000, 40000, now(), 'p', now() - interval '25 s')`,
    [old],
  );
  return old;
}

test("a tick that the database enters when the next one is due already is stalled, whatever its reporter meant", async () => {
  const old = await openedLongAgo();
  const at = new Date();
  const told = [1, 2].map((seq) => ({ windowUuid: old, seq, status: "ok", outcome: "sending" as const, at }));
  expect(await enterTicks(service, [{ windowUuid: old, ticks: told, last: false }])).toEqual([
    [expect.objectContaining({ seq: 2, outcome: "sending" })],
  ]);
  const { rows } = await service.query(
    "SELECT outcome, status FROM reporter.tick WHERE window_uuid = $1 AND seq = 1",
    [old],
  );
  expect(rows).toEqual([{ outcome: "stalled", status: WHY.stalled }]);
});

test("what is not sent grows old, however often it is tried", async () => {
  const old = await openedLongAgo();
  await service.query(
    `INSERT INTO reporter.tick (window_uuid, seq, status, outcome, ticked_at, created_at, tried_at)
     VALUES ($1, 1, 'ok', 'sending', now(), now() - interval '10 min', now())`,
    [old],
  );
  await takeUnsent(service, { service: "mallory", afterS: 0, limit: 100 });
  const [state] = await withPool({ role: "admin", database }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    return (await pool.query("SELECT unsent_oldest_age_seconds AS age FROM reporter.state")).rows;
  });
  expect(state.age).toBeGreaterThanOrEqual(600);
});

test("windows of a dead process are taken, some at a time, and one whose opening was not answered too", async () => {
  const [a, b] = [await openedLongAgo(), await openedLongAgo()];
  await service.query(
    "INSERT INTO reporter.process VALUES ('q', now() + interval '1 min'), ('p', now() - interval '1 s')",
  );
  const take = (process: string, limit: number, ...unsure: string[]) =>
    takeOrphans(service, { service: "mallory", process, unsure, limit });
  expect(await take("q", 1)).toHaveLength(1);
  const left = await take("q", 100);
  expect(left.length).toBeGreaterThan(0);
  expect(await take("q", 100)).toEqual([]); // they are its own
  const [again] = await take("q", 100, b);
  expect(again).toMatchObject({ windowUuid: b, audited: [] });
  expect(again?.elapsedMs).toBeGreaterThanOrEqual(25_000);
  expect(await take("r", 100, a)).toHaveLength(1);
});
