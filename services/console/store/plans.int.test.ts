import { afterAll, beforeAll, expect, test } from "vitest";
import { createPool, type Pool, type Queryable } from "../../../lib/postgres/pool.js";
import { createDatabase, dropDatabase } from "../../../tests/harness/database.js";
import { explain, type PlanShape } from "../../../tests/harness/plan.js";
import { testSettings } from "../../../tests/harness/settings.js";
import { listEvents } from "./event.js";
import { contentOf } from "./month.js";
import { listPagos } from "./pago.js";
import { listPayments } from "./payment.js";
import { listWallets } from "./wallet.js";
import { LAST_NUMBER, listWindows } from "./window.js";

/** Thirty thousand of each, a minute apart since 2026: a list that reads more than its page shows it. */
const ROWS = 30_000;
const CUSTOMERS = 300;
/** Sampled by the walk for what no index leads to. */
const MOST_LOOKED_AT = 10_000;
const LIMIT = 50;

let database: string;
let pool: Pool;
beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ ...testSettings(), POSTGRES_DB: database }, { role: "admin", max: 1 });
  await pool.query(FILL);
  await pool.query(
    "ANALYZE saga.payment, ingest.event, ingest.body, payouts.pago, monitor.report_window, wallet.wallet",
  );
});
afterAll(async () => {
  await pool?.end();
  await dropDatabase(database);
});

const ID = "overlay(ops.uuid_floor(at)::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid";
const FILL = `
  SET ROLE payments_owner;
  CREATE TEMPORARY TABLE made AS
  SELECT n, at, ${ID} AS id, 'customer-' || n % ${CUSTOMERS} AS customer
  FROM (SELECT n, timestamptz '2026-01-01Z' + n * interval '1 minute' AS at FROM generate_series(1, ${ROWS}) AS n) times;
  INSERT INTO saga.payment (payment_id, customer_id, reference, amount, currency, method, state, awaiting, trace_id, created_at, due_at)
  SELECT id, customer, 'order-' || n, 100, 'EUR', 'card', 'APPROVED', NULL, id, at, at FROM made;
  INSERT INTO payouts.pago (id_pago, id_afiliado, monto, moneda, trace_id, created_at) SELECT id, customer, 100, 'EUR', id, at FROM made;
  INSERT INTO ingest.body (id, bytes, sha256, is_text, source, received_at)
  SELECT id, '', sha256(''), false, 'http', at FROM made;
  INSERT INTO ingest.event (id, body_id, place, received_at, provider, method, confidence, status, code, detail, payment_ref, metadata,
                            provenance, latency_ms)
  SELECT id, id, 0, at, (ARRAY['stripe', 'wompi', 'adyen'])[n % 3 + 1], 'rule', 1,
         CASE WHEN n % 1000 = 0 THEN 'UNPROCESSED' WHEN n % 100 = 1 THEN 'REFUNDED' ELSE 'APPROVED' END,
         CASE WHEN n % 1000 = 0 THEN 'UNKNOWN_SHAPE' END, CASE WHEN n % 1000 = 0 THEN 'no rule' END, 'ref-' || n / 3, '{}', '{}', 1
  FROM made;
  INSERT INTO monitor.report_window (window_uuid, service, window_from, window_to, interval_ms, expected, deadline, state, received, errors,
                                     closed_at, decided_at, created_at)
  SELECT id, 'payments-' || (ARRAY['a', 'b', 'c'])[n % 3 + 1], at, at + interval '1 minute', 10000, 6, at + interval '70 seconds',
         CASE WHEN n % 1000 = 0 THEN 'ALERT' ELSE 'CLOSED' END, CASE WHEN n % 1000 = 0 THEN 5 ELSE 6 END, 0, at, at, at
  FROM made;
  INSERT INTO wallet.wallet (wallet_id, balance, user_id, currency) SELECT id, 0, 'user-' || n, 'EUR' FROM made;
  RESET ROLE;`;

type List = (db: Queryable) => Promise<unknown>;

/** How the one statement of a list is run. */
async function planOf(list: List): Promise<PlanShape> {
  const asked: { text: string; values?: readonly unknown[] }[] = [];
  const spy = {
    query: async (query: { text: string; values?: readonly unknown[] }) => {
      asked.push(query);
      return { rows: [] };
    },
  };
  await list(spy as unknown as Queryable);
  expect(asked).toHaveLength(1);
  const { text = "", values = [] } = asked[0] ?? {};
  return explain(pool, text, values.map(String));
}

const page = { limit: LIMIT };
const windows = { ...page, before: LAST_NUMBER };
const day = { from: "2026-01-10T00:00:00Z", to: "2026-01-11T00:00:00Z" };
const id = "019b7c00-0000-7000-8000-000000000001";

test.each<[string, List, string]>([
  ["payments", (db) => listPayments(db, page), "payment_default_pkey"],
  ["payments of a day", (db) => listPayments(db, { ...page, ...day }), "payment_default_pkey"],
  ["a payment by its id", (db) => listPayments(db, { ...page, id }), "payment_default_pkey"],
  [
    "payments of a customer",
    (db) => listPayments(db, { ...page, customer: "customer-7" }),
    "payment_default_customer_id_payment_id_idx",
  ],
  ["payouts", (db) => listPagos(db, page), "pago_default_pkey"],
  [
    "payouts of an afiliado",
    (db) => listPagos(db, { ...page, afiliado: "customer-7" }),
    "pago_default_id_afiliado_id_pago_idx",
  ],
  ["events", (db) => listEvents(db, page), "event_default_pkey"],
  [
    "events of a provider",
    (db) => listEvents(db, { ...page, provider: "wompi" }),
    "event_default_provider_id_idx",
  ],
  [
    "events of a payment",
    (db) => listEvents(db, { ...page, payment_ref: "ref-7" }),
    "event_default_payment_ref_id_idx",
  ],
  [
    "events of a payment and a provider",
    (db) => listEvents(db, { ...page, payment_ref: "ref-7", provider: "wompi", status: "UNPROCESSED" }),
    "event_default_payment_ref_id_idx",
  ],
  [
    "events that nothing understood",
    (db) => listEvents(db, { ...page, status: "UNPROCESSED" }),
    "event_default_id_idx",
  ],
  [
    "events of a rare status",
    (db) => listEvents(db, { ...page, status: "REFUNDED" }),
    "event_default_status_id_idx",
  ],
  ["windows", (db) => listWindows(db, windows), "report_window_id_key"],
  [
    "windows of a service",
    (db) => listWindows(db, { ...windows, service: "payments-a" }),
    "report_window_service_idx",
  ],
  ["alerts", (db) => listWindows(db, { ...windows, state: "ALERT" }), "report_window_state_idx"],
  ["wallets", (db) => listWallets(db, { q: "user-12", after: undefined, limit: LIMIT }), "wallet_open_key"],
])("%s are read by an index, and no more of them than the page has", async (_, list, index) => {
  const { indexes, seqScans, filteredRows, scannedRows, sortedRows } = await planOf(list);
  expect({ indexes, seqScans, filteredRows }).toEqual({
    indexes: expect.arrayContaining([index]),
    seqScans: [],
    filteredRows: 0,
  });
  // The walk reads a key and then the row; of windows their reports are counted besides.
  expect(scannedRows).toBeLessThanOrEqual(4 * (LIMIT + 1));
  expect(sortedRows).toBeLessThanOrEqual(LIMIT + 1);
});

test.each<[string, List]>([
  ["payments of a state", (db) => listPayments(db, { ...page, state: "DECLINED" })],
  ["payments with a reference", (db) => listPayments(db, { ...page, reference: "order-3" })],
  [
    "events of a provider with a status",
    (db) => listEvents(db, { ...page, provider: "wompi", status: "UNPROCESSED" }),
  ],
  [
    "windows of a service with a state",
    (db) => listWindows(db, { ...windows, service: "payments-a", state: "ALERT" }),
  ],
])("%s are looked for among the newest, and no further", async (_, list) => {
  const { seqScans, scannedRows } = await planOf(list);
  expect(seqScans).toEqual([]);
  expect(scannedRows).toBeGreaterThan(0);
  expect(scannedRows).toBeLessThanOrEqual(MOST_LOOKED_AT + 4 * (LIMIT + 1));
});

test("what a month's shapes are kept by is told by its runs, whatever it holds", async () => {
  // Without an answer there is nothing to be made of it.
  const { seqScans, indexes } = await planOf((db) => contentOf(db, "2025-01-01").catch(() => undefined));
  expect([...seqScans, ...indexes].map((name) => name.replace(/_pkey$/, ""))).toEqual(["run_month"]);
});
