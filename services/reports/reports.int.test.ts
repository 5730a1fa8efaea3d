import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { transaction } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { archived, campaign, ended, pago, tellPayouts } from "../../tests/harness/reports.js";
import { Services } from "../../tests/harness/service.js";
import {
  campaignsEvtActivated,
  campaignsEvtCreated,
  campaignsEvtUpdated,
} from "../contracts/campaigns_evt.js";
import {
  paymentsEvtCompleted,
  paymentsEvtFailed,
  paymentsEvtPending,
  paymentsEvtReturned,
} from "../contracts/payments_evt.js";
import { TOLD } from "./domain/fact.js";
import { onEvent } from "./handlers/on_event.js";

const REPORT = "/api/reports/payments";
const VERSION = "/api/reports/version";
const shuffled = <Item>(items: readonly Item[]) => [...items].sort(() => Math.random() - 0.5);

describe("of the events", () => {
  let services: Services;
  beforeEach(async () => {
    services = await Services.create({}, "reports");
    await services.start();
  });
  afterEach(() => services?.close());

  const report = async (version: "v1" | "v2") =>
    (await services.request("GET", REPORT, undefined, { "x-report-version": version })).body;
  const differences = () => services.differences("reports");

  test("each counts once, doubled and in whatever order it comes", async () => {
    const payouts = Array.from({ length: 40 }, (_, i) => pago({ id_afiliado: `a${i % 3}` }));
    const [failed, paid] = [payouts.slice(0, 10), payouts.slice(10, 35)];
    const returned = paid
      .slice(0, 5)
      .map((of) => ({ ...ended(of, "EXITOSO"), version: 4, motivo: "closed" }));
    const tell = [
      [paymentsEvtReturned, returned],
      [paymentsEvtCompleted, paid.map((of) => ended(of, "EXITOSO"))],
      [paymentsEvtFailed, failed.map((of) => ended(of, "FALLIDO"))],
      [paymentsEvtPending, payouts],
    ] as const;
    for (const [event, bodies] of tell) {
      await services.publish(event, shuffled([...bodies, ...bodies]));
      await services.publish(event, shuffled(bodies));
    }
    await archived(services, 40 + 25 + 10 + 5);
    const v2 = await report("v2");
    expect(v2).toMatchObject({
      version: "v2",
      totals: [{ currency: "USD", count: 40, amount: "400.00", completed: 25, failed: 10 }],
      success_rate: 0.7143,
      mean_amount: [{ currency: "USD", amount: "10.00" }],
    });
    expect(v2.by_status).toEqual([
      { status: "EXITOSO", currency: "USD", count: 25, amount: "250.00", returned: 5 },
      { status: "FALLIDO", currency: "USD", count: 10, amount: "100.00", returned: 0 },
      { status: "PENDIENTE", currency: "USD", count: 5, amount: "50.00", returned: 0 },
    ]);
    expect(v2.by_day).toEqual([{ day: "2026-11-26", ...v2.totals[0] }]);
    expect(v2.by_affiliate.map((each: { count: number }) => each.count)).toEqual([14, 13, 13]);
    expect(await report("v1")).toEqual({ version: "v1", as_of: v2.as_of, totals: v2.totals });
    expect(await differences()).toEqual([]);
    expect(await services.owner("SELECT FROM reports.illegal_transition")).toEqual([]);
    expect(await drain(services.settings, "reports.dlq")).toEqual([]);
  });

  test("a campaign is what its greatest version says", async () => {
    const first = campaign();
    const active = { ...first, state: "ACTIVE" as const, version: 2 };
    const spent = { ...active, spend: "40.50", clicks: 7, conversions: 1, version: 9 };
    const yen = campaign({ currency: "JPY", budget: "5000", spend: "0", name: "夏 🎏" });
    await services.publish(campaignsEvtUpdated, [spent, { ...spent, spend: "1.00", version: 5 }]);
    await services.publish(campaignsEvtActivated, [active]);
    await services.publish(campaignsEvtCreated, [yen, first]);
    await archived(services, 5);
    const { campaigns } = await report("v2");
    expect(campaigns).toEqual([
      expect.objectContaining({
        campaign_id: yen.campaign_id,
        name: "夏 🎏",
        budget: "5000",
        state: "CREATED",
      }),
      expect.objectContaining({ campaign_id: first.campaign_id, spend: "40.50", clicks: 7, state: "ACTIVE" }),
    ]);
    expect(await differences()).toEqual([]);
  });

  test("a payout whose first event is missing is parked: in no sum, told, and counted once that has come", async () => {
    const late = pago();
    await services.publish(paymentsEvtCompleted, [ended(late, "EXITOSO")]);
    await archived(services, 1);
    expect((await report("v1")).totals).toEqual([]);
    expect((await services.get("/api/reports/health")).body.report).toMatchObject({ events: 1, parked: 1 });
    const lag = async () => (await services.get(REPORT)).headers.get("x-report-lag");
    await eventually("its lag is told", async () => (await lag())?.startsWith("events=1, ms="));
    const state =
      "SELECT parked_payouts::integer AS parked, parked_oldest_age_seconds > 0 AS old FROM reports.state";
    expect(await services.owner(state)).toEqual([{ parked: 1, old: true }]);
    expect(await differences()).toEqual([expect.objectContaining({ what: `payout ${late.id_pago}` })]);
    await services.publish(paymentsEvtPending, [late]);
    await archived(services, 2);
    expect((await report("v1")).totals).toEqual([
      { currency: "USD", count: 1, amount: "10.00", completed: 1, failed: 0 },
    ]);
    expect(await services.owner(state)).toEqual([{ parked: 0, old: false }]);
    expect(await differences()).toEqual([]);
    await eventually("nothing waits", async () => (await lag()) === "events=0, ms=0");
  });

  test("the day is that of the first event, in UTC, and days beyond a month are one", async () => {
    const at = (occurred_at: string) => pago({ occurred_at });
    const payouts = [
      "2026-11-26T23:59:59.999Z",
      "2026-11-27T00:00:00.000Z",
      "2026-10-28T00:00:00.000Z",
      "2026-10-27T23:59:59.999Z",
      "2020-01-01T00:00:00.000Z",
    ].map(at);
    await services.publish(paymentsEvtPending, payouts);
    await services.publish(paymentsEvtCompleted, [
      { ...ended(payouts[0] as ReturnType<typeof at>, "EXITOSO"), occurred_at: "2026-11-29T00:00:00.000Z" },
    ]);
    await archived(services, 6);
    const { by_day } = await report("v2");
    expect(by_day.map(({ day, count }: { day: string; count: number }) => `${day} ${count}`)).toEqual([
      "2026-11-27 1",
      "2026-11-26 1",
      "2026-10-28 1",
      "null 2",
    ]);
  });

  test("what contradicts an event that was told before is recorded, and changes nothing", async () => {
    const first = pago();
    await services.publish(paymentsEvtPending, [first]);
    await archived(services, 1);
    const id = newId();
    await services.publish(paymentsEvtPending, [{ ...first, monto: "99.00" }], id);
    await services.publish(paymentsEvtPending, [{ ...first, trace_id: "0".repeat(31).concat("1") }, pago()]);
    await archived(services, 2);
    expect(await services.owner("SELECT message_id, subject_id FROM reports.illegal_transition")).toEqual([
      { message_id: id, subject_id: first.id_pago },
    ]);
    expect((await report("v1")).totals).toMatchObject([{ count: 2, amount: "20.00" }]);
  });

  test("an event that no report can be made of is a dead letter, and its neighbours count", async () => {
    const bad = [
      pago({ monto: "1.001" }),
      pago({ monto: "0" }),
      pago({ monto: "99999999999999999999" }),
      pago({ monto: "-1" }),
    ];
    const good = Array.from({ length: 20 }, () => pago());
    await services.publish(paymentsEvtPending, shuffled([...bad, ...good]));
    await services.publish(campaignsEvtCreated, [
      campaign({ name: "\u0000" }),
      campaign({ name: "' OR 1=1 --" }),
    ]);
    await archived(services, 21);
    const letters: unknown[] = [];
    await eventually("five letters", async () => {
      letters.push(...(await drain(services.settings, "reports.dlq")));
      return letters.length === 5;
    });
    expect((await report("v1")).totals).toMatchObject([{ count: 20 }]);
    expect((await report("v2")).campaigns).toMatchObject([{ name: "' OR 1=1 --" }]);
    expect(await differences()).toEqual([]);
  });

  test("one that commits late is not skipped: positions are given in the order of commits", async () => {
    const [late, soon] = [pago(), pago({ monto: "7.00" })];
    const told = TOLD[0] as (typeof TOLD)[number];
    const event = (body: object) => ({ body, messageId: newId(), traceId: "", attempt: 1 });
    const position = async () =>
      Number((await services.owner<{ position: number }>("SELECT position FROM reports.head"))[0]?.position);
    // A session in somebody's hands, which no limit ends.
    await withPool(services.settings, { role: "admin", bigints: "bigint", max: 2 }, (pool) =>
      transaction(pool, async (open) => {
        await open.query("SET LOCAL ROLE payments_owner");
        await onEvent(told)(open, [event(late)]);
        await services.publish(paymentsEvtPending, [soon]);
        const waiting =
          "SELECT FROM pg_stat_activity WHERE application_name LIKE 'report-service %' AND wait_event_type = 'Lock'";
        await eventually("the later one waits", async () => (await pool.query(waiting)).rowCount === 1);
        expect(await position()).toBe(0);
        expect((await report("v1")).totals).toEqual([]);
      }),
    );
    await archived(services, 2);
    const order = "SELECT aggregate_id AS id FROM reports.event ORDER BY position";
    expect(await services.owner(order)).toEqual([{ id: late.id_pago }, { id: soon.id_pago }]);
    expect((await report("v1")).totals).toMatchObject([{ count: 2, amount: "17.00" }]);
    expect(await differences()).toEqual([]);
  });

  test("a person goes out of it, and the sums stay", async () => {
    await tellPayouts(services, 14);
    const before = await report("v2");
    const erased = await services.owner(
      `SELECT e.what, e.rows::integer FROM set_config('payments.erasing', 'on', false) AS set_ (value)
       CROSS JOIN LATERAL reports.erase('a3', 'erased-' || left('x', length(value))) e`,
    );
    expect(erased).toEqual([
      { what: "events of payouts", rows: 4 },
      { what: "payouts in reports", rows: 2 },
      { what: "sums of reports", rows: 2 },
    ]);
    const after = await report("v2");
    expect(JSON.stringify(after)).not.toContain('"a3"');
    expect(JSON.stringify(after)).toContain('"erased-x"');
    expect(after.totals).toEqual(before.totals);
    expect((await services.get(VERSION)).body).toMatchObject({ epoch: 2, switched_by: "payments erase" });
    expect(await differences()).toEqual([]);
    await services.publish(paymentsEvtPending, [pago({ id_afiliado: "busy" })]);
    await archived(services, 29);
    await expect(services.owner("SELECT reports.erase('busy', 'x')")).rejects.toMatchObject({
      code: "55006",
    });
  });
});

describe("over HTTP", () => {
  let services: Services;
  beforeAll(async () => {
    services = await Services.create({}, "reports");
    await services.start();
    await tellPayouts(services, 20);
    await eventually("nothing waits", async () => {
      const { report } = (await services.get("/api/reports/health")).body;
      return report.waiting === 0;
    });
  });
  afterAll(() => services?.close());

  const put = (version: unknown, headers: Record<string, string> = {}) =>
    services.request("PUT", VERSION, { version }, headers);
  const get = (headers: Record<string, string> = {}) => services.request("GET", REPORT, undefined, headers);

  test("the active version is answered, a pin wins, and every answer says of what it is", async () => {
    await put("v1");
    const v1 = await get();
    expect(v1.body.version).toBe("v1");
    const v2 = await get({ "x-report-version": "v2" });
    expect(v2.body.version).toBe("v2");
    for (const [answer, version] of [
      [v1, "v1"],
      [v2, "v2"],
    ] as const) {
      expect(answer.headers.get("vary")).toBe("X-Report-Version");
      expect(answer.headers.get("x-report-version")).toBe(version);
      expect(answer.headers.get("etag")).toMatch(new RegExp(`^"${version}-\\d+-1-40"$`));
      expect(answer.headers.get("x-report-lag")).toBe("events=0, ms=0");
      expect(answer.body.as_of).toMatch(/Z$/);
    }
    const slash = await services.get(`${REPORT}/`);
    expect(slash.body).toEqual(v1.body);
    const wrong = await get({ "x-report-version": "v3" });
    expect([wrong.status, wrong.body.code]).toEqual([422, "REPORT_VERSION_UNKNOWN"]);
    expect(wrong.headers.get("vary")).toBe("X-Report-Version");
  });

  test("a tag that still holds is answered 304, and a switch makes another", async () => {
    await put("v1");
    const first = await get();
    const tag = first.headers.get("etag") ?? "";
    const again = await get({ "if-none-match": tag });
    expect([again.status, again.body]).toEqual([304, ""]);
    expect(again.headers.get("etag")).toBe(tag);
    expect(again.headers.get("x-report-lag")).toBe("events=0, ms=0");
    expect((await get({ "if-none-match": tag, "x-report-version": "v2" })).status).toBe(200);
    await put("v2");
    await put("v1");
    expect((await get({ "if-none-match": tag })).status).toBe(200);
  });

  test("a switch is compared and set, and its row says who and when", async () => {
    await put("v1");
    const now = await services.get(VERSION);
    const epoch = now.body.epoch as number;
    expect(now.body).toMatchObject({ version: "v1", generation: 1, pinned: null, versions: ["v1", "v2"] });
    const traceparent = `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`;
    const switched = await put("v2", { "if-match": now.headers.get("etag") ?? "", traceparent });
    expect([switched.status, switched.body.version, switched.body.epoch]).toEqual([200, "v2", epoch + 1]);
    expect((await services.get(`${VERSION}/`)).body).toEqual(switched.body);
    const again = await put("v2");
    expect([again.status, again.body.epoch]).toEqual([200, epoch + 1]);
    const stale = await put("v1", { "if-match": `"${epoch}"` });
    expect([stale.status, stale.body.code]).toEqual([412, "REPORT_EPOCH_STALE"]);
    const sameButStale = await put("v2", { "if-match": `"${epoch}"` });
    expect(sameButStale.status).toBe(412);
    expect(
      await services.owner(
        "SELECT version, switched_by, replace(trace_id::text, '-', '') AS trace FROM reports.switch WHERE epoch = $1",
        [epoch + 1],
      ),
    ).toEqual([{ version: "v2", switched_by: switched.body.switched_by, trace: "ab".repeat(16) }]);
    expect(new Date(switched.body.switched_at).getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  test.each([
    [{ version: "v3" }, 422, "REPORT_VERSION_UNKNOWN"],
    [{ version: "" }, 422, "REPORT_VERSION_UNKNOWN"],
    [{ version: 1 }, 400, "REQUEST_INVALID"],
    [{}, 400, "REQUEST_INVALID"],
    [{ version: "v1", more: 1 }, 400, "REQUEST_INVALID"],
  ])("PUT %j is refused with %d %s", async (body, status, code) => {
    const answer = await services.request("PUT", VERSION, body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test.each(["1", '"0"', '"x"', 'W/"1"'])("an If-Match of %s names no epoch", async (tag) => {
    expect((await put("v1", { "if-match": tag })).status).toBe(400);
  });

  test("60 who switch at once take turns: no epoch is lost, and none is there twice", async () => {
    const before = (await services.get(VERSION)).body.epoch as number;
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => put(i % 2 === 0 ? "v1" : "v2")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const { epoch, version } = (await services.get(VERSION)).body;
    const rows = await services.owner<{ epoch: number; version: string }>(
      "SELECT epoch, version FROM reports.switch WHERE epoch >= $1 ORDER BY epoch",
      [before],
    );
    expect(rows.map((row) => row.epoch)).toEqual(
      Array.from({ length: epoch - before + 1 }, (_, i) => before + i),
    );
    expect(rows.at(-1)?.version).toBe(version);
    // Each row switches to what was not served.
    expect(rows.every((row, i) => i === 0 || row.version !== rows[i - 1]?.version)).toBe(true);
    const epochNow = `"${epoch}"`;
    const other = version === "v1" ? "v2" : "v1";
    const racing = await Promise.all(Array.from({ length: 50 }, () => put(other, { "if-match": epochNow })));
    expect(racing.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(racing.filter(({ status }) => status === 412)).toHaveLength(49);
  });

  test("the health says how it is, of what", async () => {
    const { status, body } = await services.get("/api/reports/health/");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "healthy",
      checks: { postgres: "up", rabbitmq: "up" },
      report: { events: 40, generation: 1, parked: 0, waiting: 0, rebuild: null },
    });
  });
});

test("a process that is pinned answers in its version, whatever is active, but a request's own wins", async () => {
  const services = await Services.create({ REPORTS_PIN: "v2" }, "reports");
  try {
    await services.start();
    const version = async (headers: Record<string, string> = {}) =>
      (await services.request("GET", REPORT, undefined, headers)).body.version;
    expect((await services.get(VERSION)).body).toMatchObject({ version: "v1", pinned: "v2" });
    expect(await version()).toBe("v2");
    expect(await version({ "x-report-version": "v1" })).toBe("v1");
  } finally {
    await services.close();
  }
});
