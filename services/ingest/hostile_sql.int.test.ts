import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRegistry, register } from "../../lib/observability/registry.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { refusal } from "../../tests/harness/refusal.js";
import { testSettings } from "../../tests/harness/settings.js";
import { Intake } from "./intake.js";
import { ingestMetrics } from "./metrics.js";
import { ruleNormaliser } from "./rule_normaliser.js";

/** What must not be is refused by PostgreSQL itself: to the service's role, and where that has no say, to the owner too. */
let database: string;
let service: Pool;
let id: string;

beforeAll(async () => {
  database = await createDatabase("migrated");
  service = createServicePool(testSettings({ POSTGRES_DB: database }), {
    ...{ role: "payments_ingest", schema: "ingest", max: 2, applicationName: "hostile" },
  });
  const metrics = register(createRegistry(), ingestMetrics);
  const intake = new Intake({ pool: service, normaliser: ruleNormaliser, connections: 1, metrics });
  const raw = {
    value: {
      id: "ch_1",
      object: "charge",
      amount: 5_000,
      currency: "usd",
      status: "succeeded",
      created: 1_763_632_800,
    },
  };
  const taken = await intake.take([
    { raw, source: "api", hint: "stripe" },
    { raw: { value: { puzzle: 1 } }, source: "api" },
  ]);
  expect(taken.flat().map(({ status }) => status)).toEqual(["APPROVED", "UNPROCESSED"]);
  id = taken[0]?.[0]?.id ?? "";
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

const asOwner = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
  withPool({ role: "admin", database }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    return work(pool);
  });

const REFUSED = ["42501", "23001"];
const CHECKED = ["23514"];
const set = (what: string) => `UPDATE ingest.event SET ${what} WHERE id = '${id}'`;

describe.each(["the service", "the owner"])("%s cannot", (who) => {
  test.each<[string, () => string, string[]]>([
    ["change what was sent", () => "UPDATE ingest.body SET bytes = ''", REFUSED],
    ["change what was sent by its partition", () => "UPDATE ingest.body_default SET bytes = ''", REFUSED],
    ["forget what was sent", () => "DELETE FROM ingest.body", REFUSED],
    ["forget all that was sent", () => "TRUNCATE ingest.body", REFUSED],
    ["forget an event", () => "DELETE FROM ingest.event", REFUSED],
    ["forget all events", () => "TRUNCATE ingest.event", REFUSED],
    ["move an event to another body", () => set("body_id = gen_random_uuid()"), REFUSED],
    ["move an event to another place", () => set("place = 7"), REFUSED],
    ["have an event received at another time", () => set("received_at = now()"), REFUSED],
    ["have it tried less often", () => set("attempts = -1"), [...REFUSED, ...CHECKED]],
    ["give a key away", () => "UPDATE ingest.event_key SET id = gen_random_uuid()", REFUSED],
    [
      "use a key twice",
      () => `INSERT INTO ingest.event_key SELECT scope, key, gen_random_uuid() FROM ingest.event_key`,
      ["23505"],
    ],
    ["change what was before", () => "UPDATE ingest.former_event SET was = '{}'", REFUSED],
    ["forget what was before", () => "DELETE FROM ingest.former_event", REFUSED],
    ["invent a status", () => set("status = 'PAID'"), CHECKED],
    ["leave it open without a reason", () => set("status = 'UNPROCESSED'"), CHECKED],
    ["have a reason for what is understood", () => set("code = 'UNRECOGNISED', detail = 'x'"), CHECKED],
    ["retry what is understood", () => set("retry_at = now()"), CHECKED],
    ["have a negative amount", () => set("amount = -1"), CHECKED],
    ["have minor units of no currency", () => set("currency = NULL, amount_usd = NULL"), CHECKED],
    ["be worth something in USD without a rate", () => set("currency = 'EUR'"), CHECKED],
    ["have a currency of other letters", () => set("currency = 'usd', amount_usd = NULL"), CHECKED],
    ["repeat itself", () => set("repeats = id"), CHECKED],
    ["count less than nothing", () => "UPDATE ingest.event_day SET events = -1", CHECKED],
    [
      "count more round amounts than there are",
      () => "UPDATE ingest.amount_day SET round = events + 1",
      CHECKED,
    ],
    ["have a rate of USD", () => "INSERT INTO ingest.fx_rate VALUES ('USD', '2025-01-01', 1, 'x')", CHECKED],
    [
      "have a rate of nothing",
      () => "INSERT INTO ingest.fx_rate VALUES ('COP', '2025-01-01', 0, 'x')",
      CHECKED,
    ],
  ])("%s", async (_, sql, states) => {
    const found =
      who === "the service" ? await refusal(service, sql()) : await asOwner((pool) => refusal(pool, sql()));
    expect(states).toContain(found);
  });
});

/** As the owner may, who turns triggers off. */
test.each<[string, string, RegExp]>([
  ["a status", "UPDATE ingest.event SET status = 'DECLINED' WHERE amount IS NOT NULL", /^(payment|roll-up)/],
  [
    "an amount",
    "UPDATE ingest.event SET amount_minor = amount_minor + 1 WHERE amount IS NOT NULL",
    /^amounts/,
  ],
  [
    "a currency",
    "UPDATE ingest.event SET currency = 'EUR', amount_usd = NULL WHERE amount IS NOT NULL",
    /^amounts/,
  ],
  [
    "a day",
    "UPDATE ingest.event SET occurred_at = '2020-01-01' WHERE amount IS NOT NULL",
    /^(roll-up|amounts)/,
  ],
  ["a time that it took", "UPDATE ingest.event SET latency_ms = latency_ms + 9", /^roll-up/],
  ["a figure", "UPDATE ingest.event_day SET events = events + 1", /^roll-up/],
  ["a figure of amounts", "UPDATE ingest.amount_day SET events = events + 1", /^amounts/],
  ["how a payment stands", "UPDATE ingest.payment SET status = 'REFUNDED'", /^payment/],
  ["how many events a payment has", "UPDATE ingest.payment SET events = 9", /^payment/],
  ["a payment that is gone", "DELETE FROM ingest.payment", /^payment/],
  [
    "a payment that an event is of",
    "UPDATE ingest.event SET payment_ref = 'x' WHERE amount IS NOT NULL",
    /^payment/,
  ],
  ["a key that is gone", "DELETE FROM ingest.event_key", /^event/],
  ["a key of nothing", "INSERT INTO ingest.event_key VALUES ('provider/x', 'y', gen_random_uuid())", /^key/],
  ["an event that is gone", "DELETE FROM ingest.event WHERE amount IS NULL", /^(body|roll-up)/],
  ["a body that is gone", "DELETE FROM ingest.body", /^event/],
])("the audit names %s that was changed by hand", async (_, sql, named) => {
  await asOwner(async (pool) => {
    const client = await pool.connect();
    try {
      await client.query("SET ROLE payments_owner; BEGIN");
      for (const table of ["body", "event", "event_key", "payment"]) {
        await client.query(`ALTER TABLE ingest.${table} DISABLE TRIGGER USER`);
      }
      const audit = async () =>
        (await client.query<{ what: string }>("SELECT what FROM ingest.audit_difference")).rows.map(
          ({ what }) => what,
        );
      expect(await audit()).toEqual([]);
      expect((await client.query(sql)).rowCount).toBeGreaterThan(0);
      expect(await audit()).toContainEqual(expect.stringMatching(named));
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });
});
