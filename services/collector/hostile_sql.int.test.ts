import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { refusal } from "../../tests/harness/refusal.js";
import { testSettings } from "../../tests/harness/settings.js";
import type { PartnerEvent } from "./domain/event.js";
import { payoutOf, payoutRequestedEvent } from "./events.js";
import { noteDecisions } from "./store/decision.js";
import { type Entry, enterEvents, entryOf } from "./store/new_event.js";
import { notePagos } from "./store/payout.js";

/** What must not be is refused by PostgreSQL itself: to the service's role, and where that has no say, to the owner too. */
let database: string;
let service: Pool;
const traceId = "0123456789abcdef".repeat(2);
const envelope = { source: "ads", occurred_at: "2026-11-26T10:00:00.000Z" };
const CAMPAIGN = newId();

const conversion = (event_id: string): Extract<PartnerEvent, { type: "conversion" }> => ({
  ...envelope,
  event_id,
  type: "conversion",
  data: { campaign_id: CAMPAIGN, id_afiliado: "mallory", spend: "2.50", commission: "0.50", moneda: "EUR" },
});
const payment = (event_id: string): Extract<PartnerEvent, { type: "payment" }> => ({
  ...envelope,
  event_id,
  type: "payment",
  data: { id_afiliado: "mallory", monto: "10.00", moneda: "COP", referencia_pago: event_id },
});
const click: PartnerEvent = {
  ...envelope,
  event_id: "click",
  type: "click",
  data: { campaign_id: CAMPAIGN },
};

const CONVERSIONS = ["undecided", "over", "spent"];
const PAYMENTS = ["asked", "pending", "completed", "failed", "returned"];
const ids: Record<string, string> = {};

beforeAll(async () => {
  database = await createDatabase("migrated");
  const of = { role: "payments_collector", schema: "collector", max: 2, applicationName: "hostile" };
  service = createServicePool(testSettings({ POSTGRES_DB: database }), of);
  const events = [click, ...CONVERSIONS.map(conversion), ...PAYMENTS.map(payment)];
  const entries = events.map((event): Entry => entryOf(event, traceId));
  for (const { eventId, id } of entries) {
    ids[eventId] = id;
  }
  const webhook = { source: "ads", webhookId: "m1", signedAt: new Date() };
  await enterEvents(service, [{ entries, webhook }], 60);
  const asked = payoutOf(conversion("spent"));
  const commission = { asked, request: payoutRequestedEvent(asked, traceId) };
  const decisions = [
    { id: ids["over"] as string, outcome: "over_budget", timeline: undefined, commission: undefined },
    { id: ids["spent"] as string, outcome: "spent", timeline: undefined, commission },
  ] as const;
  await noteDecisions(service, decisions, 60);
  const told = (referenciaPago: string, outcome: "pending" | "completed" | "failed" | "returned") => ({
    ...{ idAfiliado: "mallory", referenciaPago, amount: 1_000n, moneda: "COP", idPago: newId() },
    ...{ outcome, reason: null, version: 3 },
  });
  await notePagos(service, [
    told("pending", "pending"),
    told("completed", "completed"),
    told("failed", "failed"),
    told("returned", "returned"),
  ]);
  await service.query("DELETE FROM collector.outbox");
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

const REFUSED = ["42501", "23001"];
const CHECKED = ["23514", "23001"];
const set = (event: string, destination: string, what: string) =>
  `UPDATE collector.delivery SET ${what} WHERE id = '${ids[event]}' AND destination = '${destination}'`;

describe.each(["the service", "the owner"])("%s cannot", (who) => {
  const as = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
    who === "the service"
      ? work(service)
      : withPool({ role: "admin", database }, async (pool) => {
          await pool.query("SET ROLE payments_owner");
          return work(pool);
        });

  test.each<[string, () => string, string[]]>([
    ["change an event", () => "UPDATE collector.event SET body = '{}'", REFUSED],
    ["change an event by its partition", () => "UPDATE collector.event_default SET body = '{}'", REFUSED],
    ["forget an event", () => "DELETE FROM collector.event", REFUSED],
    ["forget all events", () => "TRUNCATE collector.event", REFUSED],
    ["forget an event's key", () => "DELETE FROM collector.event_key", REFUSED],
    ["give an event's key away", () => "UPDATE collector.event_key SET source = 'eve'", REFUSED],
    [
      "use an event's key twice",
      () => `INSERT INTO collector.event_key VALUES ('ads', 'click', gen_random_uuid(), sha256(''))`,
      ["23505"],
    ],
    ["change what was asked for", () => "UPDATE collector.payout SET amount = amount + 1", REFUSED],
    ["forget what was asked for", () => "DELETE FROM collector.payout", REFUSED],
    [
      "ask for a payout twice",
      () => "INSERT INTO collector.payout VALUES ('mallory', 'asked', gen_random_uuid(), 1000, 'COP')",
      ["23505"],
    ],
    [
      "ask for two payouts by one event",
      () => `INSERT INTO collector.payout VALUES ('mallory', 'another', '${ids["asked"]}', 1000, 'COP')`,
      ["23505"],
    ],
    [
      "ask for nothing",
      () => "INSERT INTO collector.payout VALUES ('mallory', 'x', gen_random_uuid(), 0, 'COP')",
      ["23514"],
    ],
    [
      "ask in a currency that no Pago has",
      () => "INSERT INTO collector.payout VALUES ('mallory', 'x', gen_random_uuid(), 1, 'GBP')",
      ["23514"],
    ],
    ["forget a delivery", () => "DELETE FROM collector.delivery", REFUSED],
    ["forget all deliveries", () => "TRUNCATE collector.delivery", REFUSED],
    [
      "spend what was over budget",
      () => set("over", "campaigns", "state = 'accepted', outcome = 'spent'"),
      REFUSED,
    ],
    [
      "pay the commission of what was over budget",
      () => set("over", "payouts", "state = 'sent', outcome = NULL, message_id = gen_random_uuid()"),
      REFUSED,
    ],
    [
      "take a spend back",
      () => set("spent", "campaigns", "state = 'refused', outcome = 'over_budget'"),
      REFUSED,
    ],
    ["decide a spend anew", () => set("spent", "campaigns", "state = 'sent', outcome = NULL"), REFUSED],
    [
      "pay before campaigns has decided",
      () =>
        set(
          "undecided",
          "payouts",
          "state = 'accepted', outcome = 'pending', message_id = gen_random_uuid()",
        ),
      REFUSED,
    ],
    ["tell again without counting it", () => set("asked", "payouts", "due_at = now()"), REFUSED],
    [
      "tell again what was answered",
      () => set("pending", "payouts", "sends = sends + 1, due_at = now()"),
      REFUSED,
    ],
    [
      "tell what nobody tells again",
      () => set("asked", "payouts", "sends = sends + 1, due_at = NULL"),
      CHECKED,
    ],
    ["send without a message", () => set("undecided", "payouts", "state = 'sent'"), CHECKED],
    ["ask a second time", () => set("asked", "payouts", "message_id = gen_random_uuid()"), REFUSED],
    ["complete what failed", () => set("failed", "payouts", "outcome = 'completed', version = 9"), REFUSED],
    [
      "fail what was completed",
      () => set("completed", "payouts", "outcome = 'failed', version = 9"),
      REFUSED,
    ],
    [
      "have back what came back",
      () => set("returned", "payouts", "outcome = 'completed', version = 9"),
      REFUSED,
    ],
    ["go back in time", () => set("pending", "payouts", "outcome = 'completed', version = 1"), REFUSED],
    [
      "make it another Pago",
      () => set("pending", "payouts", "outcome = 'completed', id_pago = gen_random_uuid()"),
      REFUSED,
    ],
    ["answer a click", () => set("click", "campaigns", "state = 'accepted', outcome = 'spent'"), CHECKED],
    [
      "let campaigns pay",
      () => set("undecided", "campaigns", "state = 'accepted', outcome = 'completed'"),
      CHECKED,
    ],
    ["refuse without a reason", () => set("asked", "payouts", "state = 'refused'"), CHECKED],
    ["have an outcome of nothing", () => set("asked", "payouts", "outcome = 'completed'"), CHECKED],
  ])("%s", async (_, sql, states) => {
    expect(states).toContain(await as((pool) => refusal(pool, sql())));
  });
});

/** As a superuser may: triggers and checks off. */
test.each<[string, () => string]>([
  [
    "an amount of an event",
    () => `UPDATE collector.event SET body = replace(body, '"2.50"', '"9.50"') WHERE id = '${ids["spent"]}'`,
  ],
  [
    "an amount that was asked for",
    () => "UPDATE collector.payout SET amount = amount + 1 WHERE referencia_pago = 'asked'",
  ],
  [
    "a currency that was asked for",
    () => "UPDATE collector.payout SET moneda = 'USD' WHERE referencia_pago = 'asked'",
  ],
  [
    "who was to be paid",
    () => "UPDATE collector.payout SET id_afiliado = 'eve' WHERE referencia_pago = 'asked'",
  ],
  ["a payout that is gone", () => "DELETE FROM collector.payout WHERE referencia_pago = 'asked'"],
  [
    "a payout that nobody asked for",
    () => "INSERT INTO collector.payout VALUES ('eve', 'x', gen_random_uuid(), 1, 'USD')",
  ],
  ["an event that is gone", () => `DELETE FROM collector.event WHERE id = '${ids["click"]}'`],
  ["a key that is gone", () => `DELETE FROM collector.event_key WHERE id = '${ids["click"]}'`],
  [
    "a key of another event",
    () => `UPDATE collector.event_key SET event_id = 'x' WHERE id = '${ids["click"]}'`,
  ],
  ["a delivery that is gone", () => `DELETE FROM collector.delivery WHERE id = '${ids["asked"]}'`],
  [
    "a commission that was not earned",
    () =>
      set(
        "over",
        "payouts",
        "state = 'sent', outcome = NULL, message_id = gen_random_uuid(), due_at = now()",
      ),
  ],
  [
    "a commission that was kept back",
    () => set("spent", "payouts", "state = 'refused', outcome = 'over_budget', message_id = NULL"),
  ],
  [
    "a spend that was taken back",
    () => set("spent", "campaigns", "state = 'refused', outcome = 'over_budget'"),
  ],
])("the audit names %s that was changed by hand", async (_, sql) => {
  await withPool({ role: "admin", database }, async (pool) => {
    const client = await pool.connect();
    try {
      await client.query("SET ROLE payments_owner; BEGIN");
      for (const table of ["event", "event_key", "delivery", "payout"]) {
        await client.query(`ALTER TABLE collector.${table} DISABLE TRIGGER USER`);
      }
      const audit = async () => (await client.query("SELECT FROM collector.audit_difference")).rowCount ?? 0;
      expect(await audit()).toBe(0);
      expect((await client.query(sql())).rowCount).toBeGreaterThan(0);
      expect(await audit()).toBeGreaterThan(0);
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });
});
