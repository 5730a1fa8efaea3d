import { afterEach, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { newId } from "../lib/domain/ids.js";
import { eventMessage } from "../lib/messaging/event.js";
import { newTraceId } from "../lib/observability/trace.js";
import { createServicePool } from "../lib/postgres/service_pool.js";
import { deferred } from "../lib/timing.js";
import { paymentsCreated } from "../services/contracts/payments_created.js";
import { walletDebitRequested } from "../services/contracts/wallet_debit_requested.js";
import { walletResponse } from "../services/contracts/wallet_response.js";
import { depth, publishByHand } from "./harness/broker.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { payments } from "./harness/process.js";
import { Services } from "./harness/service.js";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) {
    await close();
  }
});

async function running(...modules: string[]): Promise<Services> {
  const services = await Services.create({}, ...modules);
  closing.push(() => services.close());
  await services.start();
  return services;
}

const debit = (amount: string, payment = newId()) => ({
  payment_id: payment,
  user_id: "nobody",
  amount,
  currency: "USD",
});

const recorded = (services: Services, count: number) =>
  eventually("the record", async () => {
    const rows = await services.owner<Record<string, unknown>>(
      "SELECT * FROM ops.dead_letter ORDER BY queue",
    );
    return rows.length === count && rows;
  });

async function audit(services: Services, ...args: string[]) {
  const { code, stdout } = await payments(services.settings, "dlq", "audit", ...args, "--json");
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

test("a service's letter leaves a row, also one of a service without tables; its trace and its day find it", async () => {
  const services = await running("wallet", "fraud");
  const [traceId, messageId] = [newTraceId(), newId()];
  await services.send([eventMessage(walletDebitRequested, debit("1.001"), { messageId, traceId })]);
  await services.publish(paymentsCreated, [
    {
      id: newId(),
      amount: "1.001",
      currency: "USD",
      status: "PENDING",
      method: "card",
      customer_id: "ada",
      created_at: new Date().toISOString(),
    },
  ]);
  const rows = await recorded(services, 2);
  const common = { code: "AMOUNT_INVALID", last_code: "AMOUNT_INVALID" };
  expect(rows).toMatchObject([
    { ...common, queue: "fraud.dlq", event: "payments.created" },
    {
      ...common,
      queue: "wallet.dlq",
      consumer: "wallet-service-wallet-debit-requested-consumer",
      event: "wallet.debit.requested",
      message_id: messageId,
    },
  ]);
  expect(await audit(services, "--trace", traceId)).toMatchObject({
    letters: [{ queue: "wallet.dlq", messageId, attempts: 1, action: null }],
  });
  expect(await audit(services, "--trace", newTraceId())).toEqual({ letters: [] });

  const replay = ["dlq", "purge", messageId, "--yes", "--queue", "wallet.dlq"];
  expect(await payments(services.settings, ...replay)).toMatchObject({ code: 0 });
  expect(await audit(services, "--trace", traceId)).toMatchObject({ letters: [{ action: "purge" }] });
  const day = new Date(rows[0]?.["recorded_at"] as Date).toISOString().slice(0, 10);
  expect(await audit(services)).toMatchObject({
    letters: [
      { day, queue: "fraud.dlq", code: "AMOUNT_INVALID", letters: 1 },
      { day, queue: "wallet.dlq", code: "AMOUNT_INVALID", letters: 1 },
    ],
    actions: [{ action: "purge", queue: "wallet.dlq", lettersDone: 1, state: "completed" }],
  });
  expect(await audit(services, "--queue", "fraud.dlq")).toMatchObject({
    letters: [{ queue: "fraud.dlq" }],
    actions: [],
  });
  const { stdout } = await payments(services.settings, "dlq", "audit");
  expect(stdout).toMatch(/wallet\.dlq +wallet\.debit\.requested +AMOUNT_INVALID +AMOUNT_INVALID +1\n/);
  expect(stdout).toMatch(/\n2 dead letters and 1 actions in 7 days\n$/);
});

test("a worker's letter leaves a row, as its own role", async () => {
  const platform = await Platform.create();
  closing.push(() => platform.close());
  await platform.startWorker();
  await publishByHand(platform.settings, ETL_QUEUES.work, "nonsense");
  await eventually(
    "the record",
    async () => (await platform.value("SELECT count(*) FROM ops.dead_letter")) === 1,
  );
  const { rows } = await platform.pool.query("SELECT * FROM ops.dead_letter");
  expect(rows).toMatchObject([
    { queue: ETL_QUEUES.deadLetter, consumer: ETL_QUEUES.work, event: null, code: "MESSAGE_MALFORMED" },
  ]);
});

/** Since when rows wait for the table. */
const waitingInserts = (services: Services) =>
  withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (pool) => {
    const { rows } = await pool.query<{ since: string }>(
      `SELECT query_start::text AS since FROM pg_stat_activity
       WHERE application_name = 'wallet-service letters' AND wait_event_type = 'Lock' AND datname = current_database()`,
    );
    return rows.map(({ since }) => since);
  });

test("where no row can be written letters are made and events handled all the same", async () => {
  const services = await running("wallet");
  const responses = await services.watch(walletResponse);
  const [locked, released] = [deferred<void>(), deferred<void>()];
  const holding = withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    await pool.query("BEGIN; LOCK TABLE ops.dead_letter IN ACCESS EXCLUSIVE MODE");
    locked.resolve();
    await released.promise;
    await pool.query("COMMIT");
  });
  try {
    await locked.promise;
    await services.publish(walletDebitRequested, [debit("1.001"), debit("1.00")]);
    await eventually("a letter", async () => (await depth(services.settings, "wallet.dlq")) === 1);
    const since = await eventually("its row waits", async () => (await waitingInserts(services))[0]);
    await services.publish(walletDebitRequested, [debit("1.00"), debit("1.001")]);
    await eventually("answered", async () => (await responses()).length === 2);
    await eventually("another letter", async () => (await depth(services.settings, "wallet.dlq")) === 2);
    expect(await waitingInserts(services)).toEqual([since]);
  } finally {
    released.resolve();
    await holding;
  }
  await services.publish(walletDebitRequested, [debit("1.001")]);
  await eventually("rows again", async () => {
    const [row] = await services.owner<{ count: number }>("SELECT count(*) FROM ops.dead_letter");
    return Number(row?.count) > 0;
  });
});

const ROW = "('wallet.dlq', 'c', 'X', 'X', 1)";
const COLUMNS = "(queue, consumer, code, last_code, attempts)";

test("the record forgets what is old when a row is entered, by roles that may enter and nothing else", async () => {
  const platform = await Platform.create();
  closing.push(() => platform.close());
  const as = (role: "app" | "loader" | "reader", sql: string) =>
    withPool({ role, database: platform.settings.POSTGRES_DB }, (pool) => pool.query(sql)).then(
      () => "done",
      (error: { code: string }) => error.code,
    );
  await withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    await pool.query("ALTER TABLE ops.dead_letter DISABLE TRIGGER dead_letter_bound");
    await pool.query(
      `INSERT INTO ops.dead_letter ${COLUMNS.replace(")", ", recorded_at)")}
       SELECT 'wallet.dlq', 'c', 'X', 'X', 1, now() - age * interval '1 day'
       FROM unnest(array_fill(91, ARRAY[1500]) || ARRAY[89]) age`,
    );
    await pool.query("ALTER TABLE ops.dead_letter ENABLE TRIGGER dead_letter_bound");
  });
  const count = () => platform.value<number>("SELECT count(*) FROM ops.dead_letter");
  expect(await as("app", `INSERT INTO ops.dead_letter ${COLUMNS} VALUES ${ROW}`)).toBe("done");
  expect(await count()).toBe(502);
  expect(await as("loader", `INSERT INTO ops.dead_letter ${COLUMNS} VALUES ${ROW}`)).toBe("done");
  expect(await count()).toBe(3);

  const DENIED = "42501";
  expect(await as("app", "SELECT FROM ops.dead_letter")).toBe(DENIED);
  expect(await as("reader", "SELECT FROM ops.dead_letter")).toBe(DENIED);
  for (const role of ["app", "loader"] as const) {
    expect(await as(role, "DELETE FROM ops.dead_letter")).toBe(DENIED);
    expect(await as(role, "UPDATE ops.dead_letter SET code = 'Y'")).toBe(DENIED);
    expect(await as(role, `INSERT INTO ops.dead_letter (recorded_at) VALUES (now())`)).toBe(DENIED);
  }
});

test("the record keeps the newest million, whatever their age", async () => {
  const platform = await Platform.create();
  closing.push(() => platform.close());
  const kept = await withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    const enter = () => pool.query(`INSERT INTO ops.dead_letter ${COLUMNS} VALUES ${ROW}`);
    await enter();
    await enter();
    await pool.query("ALTER TABLE ops.dead_letter ALTER COLUMN letter_no RESTART WITH 1000001");
    await enter();
    return (await pool.query("SELECT letter_no FROM ops.dead_letter ORDER BY letter_no")).rows;
  });
  expect(kept.map(({ letter_no }) => Number(letter_no))).toEqual([2, 1_000_001]);
});

test("what foresees reads a service's tables, and neither changes nor locks them", async () => {
  const platform = await Platform.create();
  closing.push(() => platform.close());
  const service = { role: "payments_wallet", schema: "wallet", max: 1, applicationName: "test" };
  const pool = createServicePool(platform.settings, { ...service, readOnly: true });
  closing.unshift(() => pool.end());
  expect((await pool.query("SELECT FROM wallet.decision")).rowCount).toBe(0);
  const READ_ONLY = { code: "25006" };
  await expect(pool.query("SELECT FROM wallet.decision FOR NO KEY UPDATE")).rejects.toMatchObject(READ_ONLY);
  await expect(pool.query("DELETE FROM wallet.outbox")).rejects.toMatchObject(READ_ONLY);
});
