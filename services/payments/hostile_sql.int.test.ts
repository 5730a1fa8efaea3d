import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { refusal } from "../../tests/harness/refusal.js";
import { testSettings } from "../../tests/harness/settings.js";
import type { Fact } from "./domain/decide.js";
import type { Order } from "./domain/payment.js";
import { createdEvent } from "./events.js";
import { react } from "./react.js";
import { enterPayments } from "./store/new_payment.js";
import { enterOrphans } from "./store/orphan.js";

/** What must not be is refused by PostgreSQL itself: to the service's role, and where that has no say, to the owner too. */
let database: string;
let service: Pool;
const [pending, approved, declined, partly, refunded] = [newId(), newId(), newId(), newId(), newId()];
const traceId = "0123456789abcdef".repeat(2);

const order = (paymentId: string): Order => ({
  paymentId,
  customerId: "mallory",
  reference: paymentId,
  amount: 1_000n,
  currency: "USD",
  method: "card",
  traceId,
  createdAt: new Date(),
});
const tell = (event: string, paymentId: string, fact: Fact) =>
  react(service, event, [{ paymentId, messageId: newId(), traceId, fact }], { webhook: false });
const answered = {
  kind: "answered",
  approved: true,
  reason: "success",
  amount: "10.00",
  customerId: "mallory",
} as const;

beforeAll(async () => {
  database = await createDatabase("migrated");
  const of = { role: "payments_saga", schema: "saga", max: 2, applicationName: "hostile" };
  service = createServicePool(testSettings({ POSTGRES_DB: database }), of);
  const orders = [pending, approved, declined, partly, refunded].map(order);
  const entries = orders.map((each) => ({
    order: each,
    event: createdEvent(each, { messageId: newId() }),
    key: undefined,
  }));
  await enterPayments(service, entries, 60);
  await service.query("DELETE FROM saga.outbox");
  await tell("payments.checked", declined, { kind: "checked", approved: false });
  for (const [payment, total] of [
    [approved, undefined],
    [partly, "4.00"],
    [refunded, "10.00"],
  ] as const) {
    await tell("payments.checked", payment, { kind: "checked", approved: true });
    await tell("wallet.response", payment, answered);
    if (total !== undefined) {
      await tell("wallet.refunded", payment, { kind: "refunded", total });
    }
  }
  await enterOrphans(service, [{ paymentId: newId(), userId: "u", amount: "1", messageId: "m", traceId }]);
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

const set = (what: string, payment: string) =>
  `UPDATE saga.payment SET ${what} WHERE payment_id = '${payment}'`;
const REFUSED = ["42501", "23001"];
const CHECKED = ["23514", "23001"];

describe.each(["the service", "the owner"])("%s cannot", (who) => {
  const as = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
    who === "the service"
      ? work(service)
      : withPool({ role: "admin", database }, async (pool) => {
          await pool.query("SET ROLE payments_owner");
          return work(pool);
        });

  test.each([
    ["approve what was declined", set("state = 'APPROVED', reason = NULL", declined), REFUSED],
    ["decline what was approved", set("state = 'DECLINED', reason = 'timed_out'", approved), REFUSED],
    [
      "make anything pending again",
      set("state = 'PENDING', awaiting = 'debit', refunded = 0", partly),
      REFUSED,
    ],
    ["approve what was refunded in part", set("state = 'APPROVED', refunded = 0", partly), REFUSED],
    ["take a refund back", set("refunded = 1", partly), REFUSED],
    ["change what was refunded", set("state = 'PARTIALLY_REFUNDED', refunded = 1", refunded), REFUSED],
    ["refund more than was paid", set("state = 'REFUNDED', refunded = 1001", approved), CHECKED],
    ["call a part the whole", set("state = 'REFUNDED', refunded = 400", approved), CHECKED],
    ["call the whole a part", set("state = 'PARTIALLY_REFUNDED', refunded = 1000", approved), CHECKED],
    ["decline without a reason", set("state = 'DECLINED', awaiting = NULL", pending), CHECKED],
    ["change why it was declined", set("reason = 'timed_out'", declined), REFUSED],
    ["approve and still wait", set("state = 'APPROVED'", pending), CHECKED],
    ["wait for nothing", set("awaiting = NULL", pending), CHECKED],
    [
      "check again what awaits its debit",
      `${set("awaiting = 'debit'", pending)}; ${set("awaiting = 'check'", pending)}`,
      REFUSED,
    ],
    ["change an amount", set("amount = 1", pending), REFUSED],
    ["change a currency", set("currency = 'EUR'", pending), REFUSED],
    ["change a customer", set("customer_id = 'eve'", pending), REFUSED],
    [
      "change an amount by its partition",
      set("amount = 1", pending).replace("saga.payment", "saga.payment_default"),
      REFUSED,
    ],
    ["forget a payment", "DELETE FROM saga.payment", REFUSED],
    ["forget all payments", "TRUNCATE saga.payment", REFUSED],
    ["change a step", "UPDATE saga.step SET state = 'APPROVED'", REFUSED],
    ["change a step by its partition", "UPDATE saga.step_default SET state = 'APPROVED'", REFUSED],
    ["forget a step", "DELETE FROM saga.step", REFUSED],
    ["forget all steps", "TRUNCATE saga.step", REFUSED],
    [
      "use a reference twice",
      `INSERT INTO saga.reference VALUES ('mallory', '${pending}', gen_random_uuid())`,
      ["23505"],
    ],
    ["give a reference away", "UPDATE saga.reference SET customer_id = 'eve'", REFUSED],
    ["forget an orphan", "DELETE FROM saga.orphan", REFUSED],
    [
      "pay nothing",
      "INSERT INTO saga.payment (payment_id, customer_id, amount, currency, method, trace_id, due_at) VALUES (gen_random_uuid(), 'x', 0, 'USD', 'card', gen_random_uuid(), now())",
      ["23514"],
    ],
  ])("%s", async (_, sql, states) => {
    expect(states).toContain(await as((pool) => refusal(pool, sql)));
  });
});

test("the service cannot make a change legal", async () => {
  expect(await refusal(service, "INSERT INTO saga.transition VALUES ('DECLINED', 'APPROVED')")).toBe("42501");
});

/** As a superuser may: triggers and checks off. */
test.each([
  ["a state", set("state = 'APPROVED', reason = NULL", declined)],
  ["what was refunded", set("refunded = 2000", approved)],
  ["a part that was refunded", set("refunded = 0", partly)],
  ["a reason", set("reason = 'timed_out'", approved)],
  ["an amount below what was refunded", set("amount = 1", partly)],
  ["an amount above what was refunded", set("amount = 2000", refunded)],
  ["a payment that is gone", `DELETE FROM saga.payment WHERE payment_id = '${approved}'`],
  ["steps that are gone", `DELETE FROM saga.step WHERE payment_id = '${approved}'`],
  ["a reference", `UPDATE saga.reference SET reference = 'x' WHERE payment_id = '${approved}'`],
  ["a reference that is gone", `DELETE FROM saga.reference WHERE payment_id = '${approved}'`],
  ["a customer", set("customer_id = 'eve'", approved)],
])("the audit names %s that was changed by hand", async (_, sql) => {
  await withPool({ role: "admin", database }, async (pool) => {
    const client = await pool.connect();
    try {
      await client.query("SET ROLE payments_owner; BEGIN");
      const { rows } = await client.query<{ check: string }>(
        `SELECT conname AS check FROM pg_constraint WHERE conrelid = 'saga.payment'::regclass AND contype = 'c'`,
      );
      await client.query(
        rows.map(({ check }) => `ALTER TABLE saga.payment DROP CONSTRAINT "${check}"`).join("; "),
      );
      for (const table of ["payment", "step", "reference"]) {
        await client.query(`ALTER TABLE saga.${table} DISABLE TRIGGER USER`);
      }
      const audit = async () => (await client.query("SELECT FROM saga.audit_difference")).rowCount ?? 0;
      expect(await audit()).toBe(0);
      expect((await client.query(sql)).rowCount).toBeGreaterThan(0);
      expect(await audit()).toBeGreaterThan(0);
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });
});
