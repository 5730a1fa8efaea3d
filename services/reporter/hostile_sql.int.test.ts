import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase } from "../../tests/harness/database.js";
import { testSettings } from "../../tests/harness/settings.js";
import type { Tick } from "./domain/window.js";
import { enterTicks, markSent } from "./store/tick.js";
import { openWindows } from "./store/window.js";

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
  const schedule = { intervalMs: 10, durationMs: 40 };
  await openWindows(
    service,
    [{ windowUuid, service: "mallory", windowFrom: new Date(), ...rates, ...schedule }],
    "p",
  );
  const ticks = [tick(1, "sending"), tick(2, "omitted"), tick(3, "stalled")];
  expect(await enterTicks(service, [{ windowUuid, ticks, last: false }])).toEqual([new Set([1, 2, 3])]);
  expect(await enterTicks(service, [{ windowUuid, ticks, last: false }])).toEqual([new Set()]); // somebody else had been there
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
