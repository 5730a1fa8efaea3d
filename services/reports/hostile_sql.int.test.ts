import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { refusal } from "../../tests/harness/refusal.js";
import { campaign, ended, pago } from "../../tests/harness/reports.js";
import { testSettings } from "../../tests/harness/settings.js";
import { TOLD } from "./domain/fact.js";
import { onEvent } from "./handlers/on_event.js";

/** What must not be is refused by PostgreSQL itself: to the service's role, and where that has no say, to the owner too. */
let database: string;
let service: Pool;
const paid = pago();
const failed = pago({ id_afiliado: "eve", moneda: "EUR" });
const spring = campaign();

beforeAll(async () => {
  database = await createDatabase("migrated");
  const of = { role: "payments_reports", schema: "reports", max: 2, applicationName: "hostile" };
  service = createServicePool(testSettings({ POSTGRES_DB: database }), of);
  for (const [name, body] of [
    ["payments.evt.pending", paid],
    ["payments.evt.pending", failed],
    ["payments.evt.completed", ended(paid, "EXITOSO")],
    ["payments.evt.failed", ended(failed, "FALLIDO")],
    ["campaigns.evt.created", spring],
  ] as const) {
    const told = TOLD.find(({ event }) => event.name === name) as (typeof TOLD)[number];
    await transaction(service, (tx) =>
      onEvent(told)(tx, [{ body, messageId: newId(), traceId: "", attempt: 1 }]),
    );
  }
  await service.query("INSERT INTO reports.generation (generation) VALUES (2)");
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

const REFUSED = ["42501", "23001"];
const switchTo = (epoch: number, generation: number, version = "v2") =>
  `INSERT INTO reports.switch (epoch, version, generation, switched_by) VALUES (${epoch}, '${version}', ${generation}, 'mallory')`;

describe.each(["the service", "the owner"])("%s cannot", (who) => {
  const as = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
    who === "the service"
      ? work(service)
      : withPool({ role: "admin", database }, async (pool) => {
          await pool.query("SET ROLE payments_owner");
          return work(pool);
        });

  test.each([
    ["change what was told", "UPDATE reports.event SET body = '{}'", REFUSED],
    ["change it by its partition", "UPDATE reports.event_default SET body = '{}'", REFUSED],
    ["forget an event", "DELETE FROM reports.event WHERE version = 1", REFUSED],
    ["forget all events", "TRUNCATE reports.event", REFUSED],
    [
      "tell a version twice",
      `INSERT INTO reports.event (position, kind, aggregate_id, version, event, minor_digits, body, message_id)
       VALUES (6, 'payout', '${paid.id_pago}', 1, 'payments.evt.pending', 2, '{}', 'm')`,
      ["23505"],
    ],
    [
      "tell of version 0",
      `INSERT INTO reports.event (position, kind, aggregate_id, version, event, minor_digits, body, message_id)
       VALUES (6, 'payout', '${newId()}', 0, 'payments.evt.pending', 2, '{}', 'm')`,
      ["23514"],
    ],
    ["give positions again", "UPDATE reports.head SET position = 1", REFUSED],
    ["have two heads", "INSERT INTO reports.head (one) VALUES (false)", ["23514", "42501"]],
    ["have another head", "INSERT INTO reports.head DEFAULT VALUES", ["23505", "42501"]],
    ["behead it", "DELETE FROM reports.head", REFUSED],
    ["forget who switched", "DELETE FROM reports.switch", REFUSED],
    ["say that somebody else did", "UPDATE reports.switch SET switched_by = 'alice'", REFUSED],
    ["forget all switches", "TRUNCATE reports.switch", REFUSED],
    ["switch to a version that there is not", switchTo(2, 1, "v3"), ["23514"]],
    ["switch to a generation that there is not", switchTo(2, 9), ["23001", "23503"]],
    ["switch to one that lacks events", switchTo(2, 2), ["23001"]],
    ["leave an epoch out", switchTo(3, 1), ["23001"]],
    ["use an epoch twice", switchTo(1, 1), ["23505"]],
    [
      "retire what is served",
      "UPDATE reports.generation SET state = 'retired' WHERE generation = 1",
      REFUSED,
    ],
    ["build two at a time", "INSERT INTO reports.generation (generation) VALUES (3)", ["23505"]],
    [
      "revive what was built",
      "UPDATE reports.generation SET state = 'dropped' WHERE generation = 2",
      REFUSED,
    ],
    ["go back in the archive", "UPDATE reports.generation SET position = 1 WHERE generation = 1", REFUSED],
    ["forget a generation", "DELETE FROM reports.generation", REFUSED],
    ["count less than nothing", "UPDATE reports.payout_day SET payouts = -1, returned = 0", ["23514"]],
    ["sum to less than nothing", "UPDATE reports.payout_affiliate SET amount = -1", ["23514"]],
    ["end more than there are", "UPDATE reports.payout_affiliate SET completed = payouts + 1", ["23514"]],
    ["pay nothing", "UPDATE reports.payout SET amount = 0", ["23514"]],
    ["know a state that there is not", "UPDATE reports.payout SET state = 'PAGADO'", ["23514"]],
    ["spend less than nothing", "UPDATE reports.campaign SET spend = -1", ["23514"]],
  ])("%s", async (_, sql, states) => {
    expect(states).toContain(await as((pool) => refusal(pool, sql)));
  });
});

/** As a superuser may: triggers and checks off. */
test.each([
  ["a payout", "UPDATE reports.payout SET amount = amount + 1"],
  ["a payout's state", "UPDATE reports.payout SET state = 'PENDIENTE' WHERE state = 'EXITOSO'"],
  ["a payout's affiliate", "UPDATE reports.payout SET affiliate = 'mallory' WHERE affiliate = 'eve'"],
  ["a payout that was sent back", "UPDATE reports.payout SET returned = true WHERE state = 'EXITOSO'"],
  ["a payout that is gone", "DELETE FROM reports.payout WHERE affiliate = 'eve'"],
  ["a payout's day", "UPDATE reports.payout SET day = day + 1"],
  ["a day's sum", "UPDATE reports.payout_day SET amount = amount + 1 WHERE state = 'FALLIDO'"],
  ["a day's count", "UPDATE reports.payout_day SET payouts = payouts + 1 WHERE state = 'FALLIDO'"],
  ["a day's returns", "UPDATE reports.payout_day SET returned = 1 WHERE state = 'EXITOSO'"],
  ["a day that is gone", "DELETE FROM reports.payout_day WHERE currency = 'EUR'"],
  ["an affiliate's sum", "UPDATE reports.payout_affiliate SET amount = amount - 1"],
  [
    "an affiliate's end",
    "UPDATE reports.payout_affiliate SET failed = 0, completed = 1 WHERE affiliate = 'eve'",
  ],
  [
    "an affiliate that there is not",
    "INSERT INTO reports.payout_affiliate VALUES (1, 'x', 'USD', 1, 1, 0, 0)",
  ],
  ["what a campaign spent", "UPDATE reports.campaign SET spend = spend + 1"],
  ["what a campaign may spend", "UPDATE reports.campaign SET budget = budget + 1"],
  ["what a campaign saw", "UPDATE reports.campaign SET clicks = clicks + 1"],
  [
    "an amount in the archive",
    `UPDATE reports.event SET body = body || '{"monto": "11.00"}' WHERE version = 3`,
  ],
  ["an event that is gone", "DELETE FROM reports.event WHERE version = 3"],
  ["a position", "UPDATE reports.event SET position = 9 WHERE position = 2"],
  ["a head", "UPDATE reports.head SET position = position + 1"],
  ["a generation that lags", "UPDATE reports.generation SET position = 1 WHERE generation = 1"],
])("the audit names %s that was changed by hand", async (_, sql) => {
  await withPool({ role: "admin", database }, async (pool) => {
    const client = await pool.connect();
    try {
      await client.query("SET ROLE payments_owner; BEGIN");
      for (const table of ["event", "head", "generation"]) {
        await client.query(`ALTER TABLE reports.${table} DISABLE TRIGGER USER`);
      }
      const audit = async () => (await client.query("SELECT FROM reports.audit_difference")).rowCount ?? 0;
      expect(await audit()).toBe(0);
      expect((await client.query(sql)).rowCount).toBeGreaterThan(0);
      expect(await audit()).toBeGreaterThan(0);
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });
});
