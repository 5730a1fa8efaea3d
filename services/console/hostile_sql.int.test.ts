import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { refusal } from "../../tests/harness/refusal.js";
import { testSettings } from "../../tests/harness/settings.js";

/** What must not be is refused by PostgreSQL itself: to the service's role, and where that has no say, to the owner too. */
let database: string;
let service: Pool;

beforeAll(async () => {
  database = await createDatabase("migrated");
  service = createServicePool(testSettings({ POSTGRES_DB: database }), {
    ...{ role: "payments_console", schema: "console", max: 2, applicationName: "hostile" },
  });
  await service.query(enter("k1", "run r1"));
  await service.query(enter("k2", "run r2"));
  await service.query(
    `UPDATE console.action SET state = 'done', result = '{}', ended_at = now() WHERE key = 'k1'`,
  );
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

const enter = (key: string, thing: string, why = "because") => `
  INSERT INTO console.action (key, fingerprint, kind, subject, asked, thing, who, why, trace_id, leased_until)
  VALUES ('${key}', sha256('x'), 'run.cancel', 'r1', '{}', '${thing}', 'Ana', '${why}', gen_random_uuid(), now() + interval '1 hour')`;

const asOwner = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
  withPool({ role: "admin", database }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    return work(pool);
  });

const REFUSED = ["42501", "23001", "23514"];
const CHECKED = ["23514"];
const set = (what: string, key = "k2") => `UPDATE console.action SET ${what} WHERE key = '${key}'`;

describe.each(["the service", "the owner"])("%s cannot", (who) => {
  test.each<[string, string, string[]]>([
    ["forget what was done", "DELETE FROM console.action", REFUSED],
    ["forget all that was done", "TRUNCATE console.action", REFUSED],
    [
      "say of what has ended that it failed",
      set("state = 'failed', result = NULL, failure = '{}'", "k1"),
      REFUSED,
    ],
    ["begin again what has ended", set("state = 'running', ended_at = NULL, result = NULL", "k1"), REFUSED],
    ["do two things to one", enter("k3", "run r2"), ["23505"]],
    ["use a key twice", enter("k1", "run r3"), ["23505"]],
    ["do something for no reason", enter("k4", "run r4", ""), CHECKED],
    ["end without an end", set("state = 'done', result = '{}'"), CHECKED],
    ["be done without a result", set("state = 'done', ended_at = now()"), CHECKED],
    ["fail without a reason", set("state = 'failed', ended_at = now()"), CHECKED],
  ])("%s", async (_, sql, states) => {
    const found =
      who === "the service" ? await refusal(service, sql) : await asOwner((pool) => refusal(pool, sql));
    expect(states).toContain(found);
  });
});

test.each([
  set("who = 'Eve'"),
  set("why = 'another one'"),
  set("asked = '{}'"),
  set("begun_at = now()"),
  "SELECT FROM saga.payment",
  "SELECT FROM wallet.wallet",
  "SELECT FROM ingest.event",
  "SELECT FROM payments.txn",
  "SELECT FROM payments.account",
  "SELECT FROM etl.run",
  "SELECT FROM ops.backup",
  "UPDATE saga.console_payment SET state = 'APPROVED'",
  "INSERT INTO reports.console_switch VALUES (2, 'v2', 1, 'console', now())",
  "SELECT etl.publish_build('r1', '2025-01-01')",
])("the service has no right to %s", async (sql) => {
  expect(await refusal(service, sql)).toBe("42501");
});
