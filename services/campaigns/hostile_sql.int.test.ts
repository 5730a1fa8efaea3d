import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { refusal } from "../../tests/harness/refusal.js";
import { testSettings } from "../../tests/harness/settings.js";
import type { State } from "./domain/campaign.js";
import { onConversion } from "./handlers/on_conversion.js";
import { onSeen } from "./handlers/on_seen.js";
import { changeCampaign, findCampaign, insertCampaign } from "./store/campaign.js";

/** What must not be is refused by PostgreSQL itself: to the service's role, and where that has no say, to the owner too. */
let database: string;
let service: Pool;
const [created, active, paused, completed] = [newId(), newId(), newId(), newId()];
const traceId = "0123456789abcdef".repeat(2);
const received = <Body>(body: Body) => ({ body, messageId: newId(), traceId, attempt: 1 });

/** A campaign of 10.00 USD that went through these states. */
async function campaign(campaignId: string, ...states: State[]): Promise<void> {
  const order = {
    campaignId,
    name: "hostile",
    currency: "USD",
    startsAt: null,
    endsAt: null,
    budget: 1_000n,
    traceId,
  };
  await insertCampaign(service, order);
  for (const [i, state] of states.entries()) {
    await changeCampaign(service, { campaignId, version: i + 1 }, { to: { state, budget: 1_000n }, traceId });
  }
}

beforeAll(async () => {
  database = await createDatabase("migrated");
  const of = { role: "payments_campaigns", schema: "campaigns", max: 2, applicationName: "hostile" };
  service = createServicePool(testSettings({ POSTGRES_DB: database }), of);
  await campaign(created);
  await campaign(active, "ACTIVE");
  await campaign(paused, "ACTIVE", "PAUSED");
  await campaign(completed, "ACTIVE", "COMPLETED");
  const seen = (event_id: string) => ({
    source: "acme",
    event_id,
    campaign_id: active,
    occurred_at: "2026-01-01T00:00:00Z",
  });
  const conversion = (event_id: string, spend: string) => ({
    ...seen(event_id),
    id_afiliado: "a",
    spend,
    commission: "0.10",
    moneda: "USD" as const,
  });
  await transaction(service, (tx) =>
    onConversion(() => undefined)(tx, [
      received(conversion("spent", "4.00")),
      received(conversion("over", "7.00")),
    ]),
  );
  await transaction(service, (tx) => onSeen("click")(tx, [received(seen("click"))]));
  await transaction(service, (tx) => onSeen("impression")(tx, [received(seen("impression"))]));
  await service.query("UPDATE campaigns.campaign SET unannounced_since = NULL");
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

const set = (what: string, id: string) => `UPDATE campaigns.campaign SET ${what} WHERE campaign_id = '${id}'`;
const spend = (columns: Record<string, string> = {}) => {
  const row = {
    source: "'acme'",
    event_id: "'new'",
    campaign_id: `'${active}'`,
    outcome: "'spent'",
    amount: "1",
    currency: "'USD'",
    campaign_currency: "'USD'",
    message_id: "'m'",
    ...columns,
  };
  return `INSERT INTO campaigns.spend (${Object.keys(row).join(", ")}) VALUES (${Object.values(row).join(", ")})`;
};
const REFUSED = ["42501", "23001"];
const CHECKED = ["23514", "23001"];

test("what is legal passes", async () => {
  expect(await refusal(service, spend())).toBe("done");
  expect(await refusal(service, set("state = 'PAUSED', version = version + 1", active))).toBe("done");
  expect((await findCampaign(service, active))?.spend).toBe(400n);
});

describe.each(["the service", "the owner"])("%s cannot", (who) => {
  const as = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
    who === "the service"
      ? work(service)
      : withPool({ role: "admin", database }, async (pool) => {
          await pool.query("SET ROLE payments_owner");
          return work(pool);
        });

  test.each([
    ["spend beyond the budget", set("spend = 1001", active), CHECKED],
    ["spend less than nothing", set("spend = -1", active), CHECKED],
    ["take a spend back", set("spend = 399", active), REFUSED],
    ["spend of what is paused", set("spend = 1", paused), REFUSED],
    ["spend of what was not activated", set("spend = 1", created), REFUSED],
    ["spend of what is over", set("spend = 1", completed), REFUSED],
    ["lower a budget below what is spent", set("budget = 399, version = version + 1", active), CHECKED],
    ["have no budget", set("budget = 0, version = version + 1", created), CHECKED],
    ["change the budget of what is over", set("budget = 2000, version = version + 1", completed), REFUSED],
    ["change a budget and not its version", set("budget = 2000", active), REFUSED],
    ["change a version alone", set("version = version + 1", active), REFUSED],
    ["pause what was not activated", set("state = 'PAUSED', version = version + 1", created), REFUSED],
    ["bring back what is over", set("state = 'ACTIVE', version = version + 1", completed), REFUSED],
    ["make anything new again", set("state = 'CREATED', version = version + 1", paused), REFUSED],
    ["be in a state that there is not", set("state = 'LOST', version = version + 1", active), CHECKED],
    ["count a click back", set("clicks = 0", active), REFUSED],
    ["count an impression back", set("impressions = 0", active), REFUSED],
    ["count a conversion back", set("conversions = 0", active), REFUSED],
    ["announce an older version", set("event_version = 1", active), REFUSED],
    ["change a currency", set("currency = 'EUR'", active), REFUSED],
    ["change a name", set("name = 'other'", active), REFUSED],
    ["end another time", set("ends_at = now()", active), REFUSED],
    ["forget a campaign", `DELETE FROM campaigns.campaign WHERE campaign_id = '${created}'`, REFUSED],
    ["forget all campaigns", "TRUNCATE campaigns.campaign CASCADE", REFUSED],
    ["decide a conversion twice", spend({ event_id: "'spent'" }), ["23505"]],
    ["spend nothing", spend({ amount: "0" }), ["23514"]],
    ["spend another currency", spend({ currency: "'EUR'" }), ["23514"]],
    ["call its own currency another", spend({ outcome: "'wrong_currency'" }), ["23514"]],
    [
      "say that its campaign is of another",
      spend({ currency: "'EUR'", campaign_currency: "'EUR'" }),
      ["23503"],
    ],
    ["spend of no campaign", spend({ campaign_id: "gen_random_uuid()" }), ["23503"]],
    ["decide otherwise", "UPDATE campaigns.spend SET outcome = 'spent'", REFUSED],
    ["change what was spent", "UPDATE campaigns.spend SET amount = 1", REFUSED],
    ["forget a spend", "DELETE FROM campaigns.spend", REFUSED],
    ["forget all spends", "TRUNCATE campaigns.spend", REFUSED],
    ["change a change", "UPDATE campaigns.change SET budget = 1", REFUSED],
    ["forget a change", "DELETE FROM campaigns.change", REFUSED],
    ["change a sighting", "UPDATE campaigns.sighting SET campaign_id = gen_random_uuid()", REFUSED],
    [
      "count under a known name",
      `INSERT INTO campaigns.sighting (source, event_id, kind, campaign_id) VALUES ('acme', 'click', 'click', '${active}')`,
      ["23505"],
    ],
  ])("%s", async (_, sql, states) => {
    expect(states).toContain(await as((pool) => refusal(pool, sql)));
  });
});

test("the service cannot make a change legal", async () => {
  expect(await refusal(service, "INSERT INTO campaigns.transition VALUES ('COMPLETED', 'ACTIVE')")).toBe(
    "42501",
  );
});

/** As a superuser may: triggers and checks off. */
test.each([
  ["a spend", set("spend = 500", active)],
  ["a spend beyond the budget", set("spend = 2000", active)],
  ["a count of conversions", set("conversions = 2", active)],
  ["a count of clicks", set("clicks = 2", active)],
  ["a count of impressions", set("impressions = 0", active)],
  ["a state", set("state = 'ACTIVE'", completed)],
  ["a budget", set("budget = 2000", active)],
  ["a version", set("version = 7", active)],
  ["an end that is past", set("ends_at = now() - interval '1 hour'", active)],
  ["counts that nobody announced", set("unannounced_since = now() - interval '1 hour'", active)],
  ["an amount", "UPDATE campaigns.spend SET amount = 1 WHERE outcome = 'spent'"],
  ["an outcome", "UPDATE campaigns.spend SET outcome = 'spent' WHERE outcome = 'over_budget'"],
  ["a currency", "UPDATE campaigns.spend SET currency = 'EUR' WHERE outcome = 'spent'"],
  ["a spend that is gone", "DELETE FROM campaigns.spend WHERE outcome = 'spent'"],
  ["a campaign that is gone", `DELETE FROM campaigns.campaign WHERE campaign_id = '${active}'`],
  ["changes that are gone", `DELETE FROM campaigns.change WHERE campaign_id = '${active}'`],
  ["a click that is gone", "DELETE FROM campaigns.sighting WHERE kind = 'click'"],
])("the audit names %s that was changed by hand", async (_, sql) => {
  await withPool({ role: "admin", database }, async (pool) => {
    const client = await pool.connect();
    try {
      await client.query("SET ROLE payments_owner; BEGIN");
      const { rows } = await client.query<{ sql: string }>(
        `SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname) AS sql
         FROM pg_constraint WHERE connamespace = 'campaigns'::regnamespace AND contype IN ('c', 'f')`,
      );
      await client.query(rows.map((row) => row.sql).join("; "));
      for (const table of ["campaign", "change", "spend", "sighting"]) {
        await client.query(`ALTER TABLE campaigns.${table} DISABLE TRIGGER USER`);
      }
      const audit = async () => (await client.query("SELECT FROM campaigns.audit_difference")).rowCount ?? 0;
      expect(await audit()).toBe(0);
      expect((await client.query(sql)).rowCount).toBeGreaterThan(0);
      expect(await audit()).toBeGreaterThan(0);
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });
});
