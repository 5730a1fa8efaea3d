import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { profileOf } from "../../etl/profile/read.js";
import { newId } from "../../lib/domain/ids.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { ServiceLetters } from "../../tests/harness/letters.js";
import { type Answer, Services } from "../../tests/harness/service.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { actionAnswer } from "./contracts/actions.js";

/** The console beside the services whose data it shows, in one process; what each page asks for is asked of it. */
const HOSTILE = "<script>alert(1)</script>";

let services: Services;
beforeAll(async () => {
  services = await Services.create({
    CONSOLE_POLL_MS: "200",
    REPORTER_INTERVAL_MS: "200",
    MONITOR_SETTLE_MS: "0",
  });
  await services.start();
}, 120_000);
afterAll(() => services?.close());

const get = async (path: string) => {
  const { status, body } = await services.get(`/console/api${path}`);
  expect([path, status, body.detail]).toEqual([path, 200, undefined]);
  return body;
};
const problem = async (path: string) => (await services.get(`/console/api${path}`)).body;

/** Does something, and waits for its end. */
async function act(path: string, body: object = {}, key = newId()) {
  const answer = await services.request(
    ...(["POST", `/console/api${path}`, { reason: "a test", ...body }, { "idempotency-key": key }] as const),
  );
  const begun = actionAnswer.parse(answer.body);
  return eventually(`the end of ${path}`, async () => {
    const { body: now } = await services.get(`/console/api/actions/${begun.action_id}`);
    return now.state === "running" ? undefined : now;
  });
}

/** Every page of a list. */
async function all(path: string): Promise<Answer["body"][]> {
  const items = [];
  for (let next: string | null = ""; next !== null; ) {
    const page = await get(
      `${path}${path.includes("?") ? "&" : "?"}limit=2${next === "" ? "" : `&cursor=${next}`}`,
    );
    expect(page.items.length).toBeLessThanOrEqual(2);
    items.push(...page.items);
    next = page.next;
  }
  return items;
}

/** Records a dead letter of a trace. */
const bury = (trace: string) =>
  withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (admin) => {
    await admin.query("SET ROLE payments_owner");
    await admin.query(
      `INSERT INTO ops.dead_letter (queue, consumer, code, last_code, attempts, trace_id) VALUES ('q.dlq', 'q', 'A', 'A', 1, $1)`,
      [trace],
    );
  });

test("an overview tells how both servers and all queues stand", async () => {
  const seen = await eventually("a look", async () => {
    const { body } = await services.get("/console/api/overview");
    return body.queues !== null && body.lag !== null ? body : undefined;
  });
  expect(seen).toMatchObject({
    servers: { postgres: { state: "up" }, rabbitmq: { state: "up" } },
    ...{ runs: [], workers: [], actions: [], audit: null, backup: { last: null, drill: null } },
    lag: { pending_payments: 0, outbox_events: 0 },
  });
  const names = seen.queues.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(["etl_queue", "etl_queue.dlq", "wallet.dlq", "reports"]));
  expect(
    seen.queues.find(
      ({ name }: { name: string }) => name === "wallet-service-wallet-debit-requested-consumer",
    ),
  ).toMatchObject({
    ...{ module: "wallet", kind: "work", consumers: 1 },
  });
  expect((await get("/overview/history")).points.length).toBeGreaterThan(0);
  expect((await get("/queues")).items).toHaveLength(names.length);
});

test("a stream tells each look once, its ids going up", async () => {
  const stop = new AbortController();
  const response = await fetch(`${services.url}/console/stream`, { signal: stop.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while ((text.match(/event: overview/g) ?? []).length < 3) {
    text += (await reader?.read())?.value ?? "";
  }
  stop.abort();
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
});

describe("runs", () => {
  const spec = { rows: 4_000, from: "2025-01-01", to: "2025-03-01", chunk_rows: 1_000 };

  test("are shown before they are started, started once, watched and verified", async () => {
    const preview = await services.post("/console/api/runs/preview", spec);
    expect(preview.body).toMatchObject({ rows: 4_000, chunks: 5, seeded: true, dirt_rate: 0.01 });
    expect(preview.body.months.map(({ month }: { month: string }) => month)).toEqual(["2025-01", "2025-02"]);
    const key = newId();
    const started = await act("/runs", spec, key);
    expect(started).toMatchObject({ state: "done", kind: "run.start", result: { run: "r1", rows: 4_000 } });
    expect(await act("/runs", spec, key)).toEqual({ ...started, as_of: expect.any(String) });
    expect((await get("/runs")).items).toHaveLength(1);
    await eventually("seen", async () => (await get("/overview")).runs[0]?.run === "r1");
    const worker = await services.platform.startWorker();
    await eventually("done", async () => (await get("/runs/r1")).state === "done", { withinMs: 60_000 });
    await services.platform.stopWorker(worker);
    const run = await get("/runs/r1");
    expect(run).toMatchObject({
      ...{ share: 1, months_done: 2, failures: [], chunks: { total: 5, cleaned: 5 } },
    });
    expect(run.steps.map(({ rows_done }: { rows_done: number }) => rows_done)).toEqual([4_000, 4_000, 4_000]);
    expect(await act("/runs/r1/verify")).toMatchObject({ state: "done", result: { ok: true, differing: 0 } });
    expect(await act("/runs/r1/cancel")).toMatchObject({ state: "failed", failure: { code: "RUN_OVER" } });
    expect(await act("/runs/r1/resume")).toMatchObject({ state: "done", result: { sent: 0 } });
    expect(await act("/months/2025-01/heal")).toMatchObject({ state: "done", result: { runs: ["r1"] } });
    expect(await problem("/runs/r9")).toMatchObject({ status: 404, code: "CONSOLE_NOT_FOUND" });
  });

  test("fill months, whose roll-ups add up", async () => {
    const months = await get("/data/months");
    const { accepted } = await get("/runs/r1");
    expect(months).toMatchObject({
      rows: accepted,
      items: [{ month: "2025-01", runs: ["r1"] }, { month: "2025-02" }],
    });
    expect(Number(months.bytes)).toBeGreaterThan(8_192);
    await withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (admin) => {
      await admin.query("SET ROLE payments_owner");
      await admin.query("BEGIN");
      await admin.query("LOCK TABLE payments.txn_2025_01 IN ACCESS EXCLUSIVE MODE");
      // As while a month is swapped in.
      expect((await get("/data/months")).items).toHaveLength(2);
      await admin.query("ROLLBACK");
    });
    const [{ rows }] = months.items;
    for (const by of ["day", "network", "channel", "currency", "country", "category"]) {
      const { groups, more } = await get(`/data/rollups?month=2025-01&by=${by}`);
      const sum = groups.reduce(
        (total: number, { transactions }: { transactions: number }) => total + transactions,
        0,
      );
      expect([by, sum, more]).toEqual([by, rows, 0]);
    }
    const declines = await get("/data/rollups?month=2025-01&by=decline_reason");
    expect(declines.sampled).toBe(1);
    expect(declines.groups.length).toBeGreaterThan(1);
    expect(await get("/data/rollups?month=2031-01&by=decline_reason")).toMatchObject({
      groups: [],
      sampled: null,
    });
  });
});

describe("shapes of a month", () => {
  const path = "/data/profile?month=2025-01";
  const asAdmin = <T>(work: (admin: Pool) => Promise<T>) =>
    withPool({ role: "admin", database: services.settings.POSTGRES_DB }, work);
  /** While the month is being swapped in. */
  const locked = (work: () => Promise<void>) =>
    asAdmin(async (admin) => {
      await admin.query("SET ROLE payments_owner");
      await admin.query("BEGIN");
      await admin.query("LOCK TABLE payments.txn_2025_01 IN ACCESS EXCLUSIVE MODE");
      await work();
      await admin.query("ROLLBACK");
    });
  const cancelled = () =>
    asAdmin(async (admin) => {
      const { rowCount } = await admin.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'payments console profile' AND datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rowCount === 1;
    });

  test("that cannot be read now are a problem, and nobody waits long for them", async () => {
    await locked(async () => {
      expect(await problem(path)).toMatchObject({ status: 503, code: "BUSY" });
    });
    await locked(async () => {
      const asked = problem(path);
      // As when its time is over.
      await eventually("cancelled", cancelled);
      expect(await asked).toMatchObject({ status: 422, code: "CONSOLE_MONTH_LARGE" });
    });
  });

  test("are those that the command tells, kept until the month has another content", async () => {
    const profile = await get(path);
    const { rows, shapes } = await profileOf(services.platform.pool, "2025-01-01");
    expect(profile).toMatchObject({ month: "2025-01", rows });
    expect(profile.shapes).toEqual(JSON.parse(JSON.stringify(shapes)));
    const [{ published, parts }] = profile.shapes;
    expect([parts.length, published.parts.length]).toEqual([9, 9]);
    expect(await get(path)).toEqual(profile);
    expect(await act("/months/2025-01/heal")).toMatchObject({ state: "done" });
    const healed = await get(path);
    expect(healed.as_of).not.toBe(profile.as_of);
    expect({ ...healed, as_of: profile.as_of }).toEqual(profile);
    expect(await problem("/data/profile?month=2031-01")).toMatchObject({
      ...{ status: 404, code: "MONTH_UNKNOWN", detail: expect.stringContaining("2031-01 is not published") },
    });
    expect(await problem("/data/profile")).toMatchObject({ status: 400, code: "REQUEST_INVALID" });
  });
});

describe("payments", () => {
  const pay = async (customer: string, amount: string, reference: string) =>
    (
      await services.post("/payments", {
        ...{ amount, currency: "USD", method: "card", customer_id: customer, reference },
      })
    ).body.id as string;
  const settled = (id: string) =>
    eventually("settled", async () => (await get(`/payments/${id}`)).payment.state !== "PENDING");

  test("are found by customer, state and time, and lead to all that belongs to them", async () => {
    const customer = `c-${HOSTILE.replaceAll(" ", "")}`;
    const { body: wallet } = await services.post("/wallets", { user_id: customer, currency: "USD" });
    await services.post(`/wallets/${wallet.id}/credit`, { amount: "100.00", reference: "opening" });
    const approved = [await pay(customer, "10.00", "o-1"), await pay(customer, "20.50", "o-2")];
    const declined = await pay(customer, "1000.00", "o-3");
    await Promise.all([...approved, declined].map(settled));
    const encoded = encodeURIComponent(customer);
    const found = await all(`/payments?customer=${encoded}`);
    expect(found.map(({ id }) => id)).toEqual([declined, ...approved.toReversed()]);
    expect(found[0]).toMatchObject({
      customer_id: customer,
      amount: "1000.00",
      state: "DECLINED",
      currency: "USD",
    });
    const poor = await all("/payments?state=DECLINED");
    expect(poor.map(({ id }) => id)).toEqual([declined]);
    const before = new Date(Date.now() - 3_600_000).toISOString();
    expect(await all(`/payments?to=${before}`)).toEqual([]);
    expect(await all(`/payments?from=${before}`)).toHaveLength(3);
    const [id = ""] = approved;
    for (const query of [`id=${id.toUpperCase()}`, "reference=o-1", `reference=o-1&customer=${encoded}`]) {
      expect((await all(`/payments?${query}`)).map((each) => each.id)).toEqual([id]);
    }
    expect([await all(`/payments?id=${newId()}`), await all("/payments?id=a1")]).toEqual([[], []]);
    const detail = await get(`/payments/${id}`);
    expect(detail).toMatchObject({
      payment: { state: "APPROVED", reference: "o-1" },
      decision: { outcome: "approved", wallet_id: wallet.id },
      movements: [{ kind: "debit", amount: "10.00", currency: "USD" }],
      letters: [],
      links: [{ kind: "wallet", id: wallet.id }],
    });
    expect(detail.timeline.map(({ state }: { state: string }) => state).at(-1)).toBe("APPROVED");
    expect(await get("/wallets?q=c-")).toMatchObject({
      items: [{ user_id: customer, balance: "69.50" }],
      next: null,
    });
    const movements = await all(`/wallets/${wallet.id}/movements`);
    expect(movements.map(({ kind, amount }) => [kind, amount])).toEqual([
      ["debit", "20.50"],
      ["debit", "10.00"],
      ["credit", "100.00"],
    ]);
    expect(await all("/wallets?q=d")).toEqual([]);
    expect(await problem(`/payments/${newId()}`)).toMatchObject({ status: 404 });
    expect(await problem("/payments?cursor=abc")).toMatchObject({ code: "REQUEST_INVALID" });
  });

  test("show what became a dead letter of any of their requests, a refund's too", async () => {
    const customer = "customer-refunded";
    const { body: wallet } = await services.post("/wallets", { user_id: customer, currency: "USD" });
    await services.post(`/wallets/${wallet.id}/credit`, { amount: "10.00", reference: "opening" });
    const id = await pay(customer, "4.00", "o-5");
    await settled(id);
    await services.post("/wallets/refund", { payment_id: id });
    await eventually("refunded", async () => (await get(`/payments/${id}`)).payment.state === "REFUNDED");
    const { payment, timeline } = await get(`/payments/${id}`);
    const trace = timeline.at(-1).trace_id;
    expect(trace).not.toBe(payment.trace_id);
    await bury(trace);
    expect(await get(`/payments/${id}`)).toMatchObject({ letters: [{ queue: "q.dlq", code: "A" }] });
  });

  test("that a provider names lead to its event, raw beside normalised", async () => {
    const id = await pay("customer-named", "5.00", "o-4");
    const event = {
      ...{
        id: "ch_9",
        object: "charge",
        amount: 500,
        currency: "usd",
        status: "succeeded",
        created: 1_763_632_800,
      },
      ...{ payment_intent: id, metadata: { note: HOSTILE } },
    };
    const { body } = await services.post("/api/v1/events", { raw_event: event, provider: "stripe" });
    const detail = await get(`/events/${body.id}`);
    expect(detail).toMatchObject({
      event: { provider: "stripe", status: "APPROVED", amount: "5.00", currency: "USD", method: "rule" },
      raw: { cut: false },
    });
    expect(JSON.parse(detail.raw.text)).toMatchObject({ id: "ch_9" });
    const named = await all(`/events?payment_ref=${id}&provider=stripe`);
    expect(named.map((each) => each.id)).toEqual([body.id]);
    expect(await all(`/events?payment_ref=${id}&provider=wompi`)).toEqual([]);
    expect(detail.provenance.map(({ field }: { field: string }) => field)).toContain("amount");
    expect(detail.letters).toEqual([]);
    await bury(body.id);
    expect((await get(`/events/${body.id}`)).letters).toMatchObject([{ queue: "q.dlq" }]);
    await services.post("/api/v1/events", { raw_event: { puzzle: 1 } });
    expect((await all("/events?provider=stripe")).map((each) => each.id)).toEqual([body.id]);
    expect((await get(`/payments/${id}`)).events).toMatchObject([{ id: body.id }]);
    // Another customer may have the same reference.
    const other = { ...event, id: "ch_10", payment_intent: "o-4" };
    await services.post("/api/v1/events", { raw_event: other, provider: "stripe" });
    expect((await get(`/payments/${id}`)).events).toHaveLength(1);
    expect(await all("/events?status=UNPROCESSED")).toMatchObject([
      { status: "UNPROCESSED", provider: null },
    ]);
    expect(await all("/events?status=APPROVED")).toHaveLength(2);
    expect((await get("/rules")).items.length).toBeGreaterThan(10);
    expect((await get("/mappings")).items).toEqual([]);
    expect(await act(`/mappings/${newId()}/accept`)).toMatchObject({
      ...{ state: "failed", failure: { code: "MAPPING_UNKNOWN" } },
    });
  });
});

test("Pagos and campaigns are listed and shown", async () => {
  const order = { id_afiliado: "a-1", monto: "12.34", moneda: "USD", referencia_pago: "p-1" };
  const { body: pago } = await services.post("/pagos", order);
  expect(await all("/pagos?afiliado=a-1")).toMatchObject([
    { id: pago.id_pago, monto: "12.34", moneda: "USD" },
  ]);
  expect(await get(`/pagos/${pago.id_pago}`)).toMatchObject({
    pago: { referencia_pago: "p-1", devuelto: false },
    book: { returned: null },
  });
  const campaign = (await services.post("/campaigns", { name: HOSTILE, budget: "10.00", currency: "USD" }))
    .body;
  expect(await all("/campaigns")).toMatchObject([{ id: campaign.id, name: HOSTILE, spend: "0.00" }]);
  expect((await get(`/campaigns/${campaign.id}`)).changes).toMatchObject([{ version: 1, budget: "10.00" }]);
});

test("reports are switched for whoever saw what is served now, and the switch says who", async () => {
  const before = await get("/reports");
  const version = before.active === "v1" ? "v2" : "v1";
  const switched = await act("/reports/switch", { version, epoch: before.epoch });
  expect(switched).toMatchObject({ state: "done", result: { version, epoch: before.epoch + 1 } });
  expect(await get("/reports")).toMatchObject({
    active: version,
    history: [{ by: expect.stringContaining("console: "), version }, expect.anything()],
  });
  const stale = await act("/reports/switch", { version: before.active, epoch: before.epoch });
  expect(stale).toMatchObject({ state: "failed", failure: { code: "REPORT_EPOCH_STALE" } });
});

test("a window is shown slot by slot", async () => {
  const report = {
    ...{ window_uuid: newId(), service: "other", status: "ok", interval_ms: 100, remaining_ms: 60_000 },
    ...{ window_from: "2026-01-01T00:00:00Z", window_to: "2026-01-01T00:01:00Z", expected_reports: 4 },
    report_timestamp: "2026-01-01T00:00:00Z",
  };
  for (const [seq, status] of [
    [1, "ok"],
    [2, "ok"],
    [4, "error"],
  ] as const) {
    await services.post("/api/monitor/heartbeats", { ...report, seq, status });
  }
  expect(await get(`/windows/${report.window_uuid}`)).toMatchObject({
    window: { service: "other", state: "OPEN", expected: 4, received: 3, errors: 1 },
    slots: [
      { first: 1, last: 2, came: "ok", told: null },
      { first: 3, last: 3, came: "waiting" },
      { first: 4, last: 4, came: "error" },
    ],
    compare: null,
    letters: [],
  });
  await bury(report.window_uuid);
  expect((await get(`/windows/${report.window_uuid}`)).letters).toMatchObject([{ queue: "q.dlq" }]);
  expect(await all("/windows?service=other")).toMatchObject([{ id: report.window_uuid }]);
  expect(await all("/windows?service=other&state=ALERT")).toEqual([]);
});

test("dead letters are looked at, foretold, sent again and given up, and each action has its row", async () => {
  const letters = new ServiceLetters(services.settings, "wallet-service", "wallet.dlq");
  const ask = { payment_id: newId(), user_id: "nobody", amount: "1.00", currency: "USD" };
  const buried = await letters.bury(walletDebitRequested, ask);
  await letters.put(Buffer.from(HOSTILE), { messageId: newId() });
  const list = await get("/queues/wallet.dlq/letters");
  expect(list).toMatchObject({ total: 2, codes: [{ code: "INTERNAL", letters: 2 }] });
  expect(list.items.map(({ preview }: { preview: string }) => preview)).toContain(HOSTILE);
  expect(await get(`/queues/wallet.dlq/letters/${buried}`)).toMatchObject({
    ...{ encoding: "utf8", body: expect.stringContaining("nobody"), cut: false },
  });
  const preview = await services.post("/console/api/letters/preview", { queue: "wallet.dlq", all: true });
  expect(preview.body).toMatchObject({ total: 2, selected: 2 });
  expect(preview.body.forecasts.map(({ kind }: { kind: string }) => kind)).toEqual([
    "would apply",
    "unreadable",
  ]);
  expect(await act("/letters/replay", { queue: "wallet.dlq", id: buried, expected: 1 })).toMatchObject({
    ...{ state: "done", kind: "letters.replay", subject: "wallet.dlq", why: "a test", result: { done: 1 } },
  });
  // What has come since is left alone.
  await letters.put(Buffer.from("{}"), { messageId: newId() });
  expect(await act("/letters/abandon", { queue: "wallet.dlq", all: true, expected: 1 })).toMatchObject({
    result: { done: 1 },
  });
  expect((await get("/queues/wallet.dlq/letters")).total).toBe(1);
  expect(await problem("/queues/none.dlq/letters")).toMatchObject({ code: "DEAD_LETTER_QUEUE_UNKNOWN" });
  const record = await withPool({ role: "loader", database: services.settings.POSTGRES_DB }, (pool) =>
    pool.query("SELECT os_user FROM ops.dead_letter_action ORDER BY action_id"),
  );
  expect(record.rows).toEqual(Array(2).fill({ os_user: "console: operator on this machine" }));
  const rows = await all("/actions");
  expect(rows[0]).toMatchObject({ asked: { queue: "wallet.dlq", all: true, expected: 1 } });
  expect(rows.slice(0, 2).map(({ kind }) => kind)).toEqual(["letters.abandon", "letters.replay"]);
});

test("backups are listed", async () => {
  expect(await get("/backups")).toMatchObject({ backups: [], drills: [] });
});
