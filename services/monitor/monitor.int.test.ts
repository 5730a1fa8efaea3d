import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { packageRoot } from "../../lib/root.js";
import { onChannel } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { payments } from "../../tests/harness/process.js";
import { Receiver } from "../../tests/harness/receiver.js";
import { Services } from "../../tests/harness/service.js";
import type { Report } from "../contracts/report.js";

const DLQ = "monitor-queue.dlq";

let services: Services;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.open();
  services = await Services.create(
    {
      REPORTER_INTERVAL_MS: "200",
      MONITOR_GRACE_MS: "200",
      MONITOR_SETTLE_MS: "0",
      MONITOR_SWEEP_EVERY_MS: "3600000", // only when the test asks
      MONITOR_QUEUE_FIRST_WAIT_MS: "1",
      MONITOR_QUEUE_TRIES: "3",
      MONITOR_WEBHOOK_URL: receiver.url,
      MONITOR_WEBHOOK_SECRET: receiver.secret,
      MONITOR_WEBHOOK_ALLOW_INTERNAL: "true",
      RABBITMQ_HEARTBEAT_S: "1",
      AUDIT_GRACE_S: "0",
    },
    "monitor",
    "monitor-queue",
    "reporter",
  );
  await services.start();
});
afterAll(async () => {
  await services?.close();
  await receiver?.close();
});

const report = (more: Partial<Report> = {}): Report => ({
  window_uuid: newId(),
  service: "other",
  seq: 1,
  status: "ok",
  report_timestamp: "2026-01-01T00:00:00Z",
  window_from: "2026-01-01T00:00:00Z",
  window_to: "2026-01-01T00:01:00Z",
  interval_ms: 100,
  expected_reports: 2,
  remaining_ms: 0,
  ...more,
});
const tell = (body: object) => services.post("/api/monitor/heartbeats", body);
const windowOf = async (uuid: string) => (await services.get(`/api/monitor/windows/${uuid}`)).body;
const open = async (body: object) => (await services.post("/report-windows", body)).body;
const sweep = async () => (await services.request("POST", "/api/monitor/windows/sweep")).body;
const stateOf = async (uuid: string) => {
  await eventually(
    "decided",
    async () => (await sweep()).pending === 0 && typeof (await windowOf(uuid)).closed_at === "string",
  );
  return (await windowOf(uuid)).status;
};
/** The deadlines of all are over. */
const endAll = () =>
  services.owner(
    "UPDATE monitor.report_window SET deadline = least(deadline, now() - interval '1 s') WHERE state = 'OPEN'",
  );
const compare = (...args: string[]) => payments(services.settings, "monitor", "compare", ...args, "--json");

test("windows are closed, or alerts, exactly as the audits say; compare proves it, and names a row that is gone", async () => {
  const opened = await Promise.all([
    services.request("POST", "/report-windows"), // without a body, as curl -X POST sends it
    ...Array.from({ length: 12 }, (_, seed) => services.post("/report-windows", { seed, duration_s: 1.2 })),
    services.post("/report-windows", { seed: 1, duration_s: 1.39, error_rate: 1, omission_rate: 0 }),
    services.post("/report-windows", { seed: 2, duration_s: 1.2, omission_rate: 1 }),
  ]);
  expect(opened.map(({ status }) => status)).toEqual(opened.map(() => 201));
  const windows = opened.slice(1).map(({ body }) => body); // the first lasts up to 6 s
  expect(windows.at(-2)).toMatchObject({ expected_reports: 6, service: "payments-a" });
  for (const { window_uuid, expected_reports } of windows) {
    const state = await stateOf(window_uuid);
    const { body: stats } = await services.get(`/report-windows/${window_uuid}/stats`);
    expect(stats.total_ticks).toBe(expected_reports);
    expect(state).toBe(stats.enviados_a_queue === expected_reports ? "CLOSED" : "ALERT");
    const known = await windowOf(window_uuid);
    expect(known).toMatchObject({ received_reports: stats.enviados_a_queue, late_reports: 0 });
    expect(known.missing_slots).toHaveLength(stats.omitidos + stats.stalled);
  }
  const [errors, silent] = [windows.at(-2), windows.at(-1)];
  // All of its reports tell of an error; they came all the same.
  const told = await windowOf(errors.window_uuid);
  expect(told.error_reports).toBe(told.received_reports);
  expect(await windowOf(silent.window_uuid)).toMatchObject({
    status: "ALERT",
    missing_slots: [1, 2, 3, 4, 5, 6],
  });

  const agreed = await compare();
  expect(agreed, agreed.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(agreed.stdout).windows).toHaveLength(opened.length);
  await services.owner("DELETE FROM reporter.tick WHERE window_uuid = $1 AND seq IN (0, 3)", [
    errors.window_uuid,
  ]);
  const differs = await compare(errors.window_uuid);
  expect(differs.code).toBe(3);
  expect(differs.stdout).toContain("tick 3 has no row in the audit");
  expect(differs.stdout).toContain("its declaration has no row in the audit");
  expect(await services.differences("monitor")).toEqual([]);
  expect(await services.differences("reporter")).toHaveLength(1);
});

test("a window of which the reports are no longer kept says so", async () => {
  const [old] = await services.owner<{ id: string }>(
    `INSERT INTO monitor.report_window (window_uuid, service, window_from, window_to, interval_ms, expected, deadline, created_at)
     SELECT gen_random_uuid(), 'old', now, now, 100, 2, now, now - interval '29 days' FROM clock_timestamp() AS now
     RETURNING window_uuid AS id`,
  );
  expect(await windowOf(old?.id ?? "")).toMatchObject({ late_reports: null, missing_slots: null });
  await services.owner("DELETE FROM monitor.report_window WHERE window_uuid = $1", [old?.id]);
});

test("the contract's queries run as the page has them", async () => {
  const page = readFileSync(join(packageRoot, "docs", "monitoring_windows.md"), "utf8");
  const queries = [...page.matchAll(/```sql\n(.*?)```/gs)].flatMap(([, block = ""]) =>
    block.split(";").filter((query) => query.trim() !== ""),
  );
  expect(queries).toHaveLength(5);
  const [window] = await services.owner<{ window_uuid: string }>(
    "SELECT window_uuid FROM public.report_windows ORDER BY id LIMIT 1",
  );
  for (const query of queries) {
    const rows = await services.owner(query.replaceAll("WINDOW_UUID", window?.window_uuid ?? ""));
    expect(rows.length, query).toBeGreaterThan(0);
  }
});

test("lists have filters and pages, and a window that nobody knows is none", async () => {
  const first = (await services.get("/api/monitor/windows?service=payments-a&limit=2")).body;
  expect(first.items).toHaveLength(2);
  const next = (await services.get(`/api/monitor/windows?service=payments-a&limit=2&cursor=${first.next}`))
    .body;
  expect(next.items[0].created_at < first.items[1].created_at).toBe(true);
  const alerts = (await services.get("/api/monitor/windows?status=ALERT")).body.items;
  expect(new Set(alerts.map(({ status }: { status: string }) => status))).toEqual(new Set(["ALERT"]));
  expect((await services.get(`/api/monitor/windows/${newId()}`)).body.code).toBe("WINDOW_UNKNOWN");
  expect((await services.get(`/report-windows/${newId()}/stats`)).status).toBe(404);
});

test("what is asked for badly is refused", async () => {
  for (const [body, status] of [
    [{ error_rate: 1.01 }, 400],
    [{ omission_rate: -0.1 }, 400],
    [{ duration_s: 1.19 }, 422],
    [{ duration_s: 6.01 }, 422],
    [{ what: 1 }, 400],
  ] as const) {
    expect((await services.post("/report-windows", body)).status, JSON.stringify(body)).toBe(status);
  }
  for (const body of [
    {},
    report({ seq: 3 }),
    report({ expected_reports: 0 }),
    { ...report(), status: "fine" },
    { ...report(), report_timestamp: "yesterday" },
    { ...report(), remaining_ms: -1 },
    { ...report(), more: 1 },
    { ...report(), status: "error", error_message: "a\u0000b" },
    { ...report(), status: "error", error_message: "a\ud800b" },
    report({ expected_reports: 1_000, interval_ms: 3_600_000, seq: 0 }),
    report({ window_from: "0000-01-01T00:00:00Z" }),
    report({ window_from: "2026-01-01T00:00:00+23:59", window_to: "9999-12-31T23:59:59-01:00" }),
    report({ report_timestamp: `2026-01-01T00:00:00.${"1".repeat(200)}Z` }),
  ]) {
    expect((await tell(body)).status, JSON.stringify(body)).toBe(400);
  }
});

test("a window is made of any report; again changes nothing, and another schedule is kept aside", async () => {
  const first = report({ seq: 2, status: "error", error_message: "timed out" });
  const { window_uuid } = first;
  const outcomes = async (...reports: Report[]) =>
    (await Promise.all(reports.map(tell))).map(({ body }) => body.outcome).toSorted();
  expect(await outcomes(first, first, first)).toEqual(["duplicate", "duplicate", "received"]);
  expect(await outcomes(report({ window_uuid, service: "liar" }))).toEqual(["conflict"]);
  expect(await outcomes(report({ window_uuid, expected_reports: 1 }))).toEqual(["conflict"]);
  expect(await outcomes(report({ window_uuid, expected_reports: 1 }))).toEqual(["conflict"]);
  expect(await windowOf(window_uuid)).toMatchObject({
    service_name: "other",
    received_reports: 1,
    conflicts: 2,
    status: "OPEN",
    missing_slots: [1],
  });
  expect(await stateOf(window_uuid)).toBe("ALERT");
  // Of a window that is decided: late, and then all are there.
  const late = await tell(report({ window_uuid, seq: 1 }));
  expect(late.body).toMatchObject({ outcome: "late", duplicate: false });
  expect((await tell(report({ window_uuid, seq: 1 }))).body).toMatchObject({
    outcome: "duplicate",
    duplicate: true,
  });
  expect(await windowOf(window_uuid)).toMatchObject({
    status: "RESOLVED_LATE",
    received_reports: 1,
    late_reports: 1,
    missing_reports: 1,
    missing_slots: [],
  });
});

test.each([
  ["90 s ahead", 90_000],
  ["90 s behind", -90_000],
  ["years off", 1e11],
])("a sender whose clock is %s is judged as any other", async (_, offMs) => {
  const at = (ms: number) => new Date(Date.now() + offMs + ms).toISOString();
  const said = (seq: number, remaining_ms: number) =>
    report({
      ...{ window_uuid, seq, remaining_ms, expected_reports: 2, interval_ms: 3_000 },
      ...{ report_timestamp: at(0), window_from: at(0), window_to: at(6_000) },
    });
  const window_uuid = newId();
  await tell(said(0, 6_000));
  expect(await sweep()).toMatchObject({ closed: 0, alert: 0 });
  await tell(said(1, 3_000));
  await tell(said(2, 0));
  expect(await stateOf(window_uuid)).toBe("CLOSED");
});

test("a remaining time that its schedule cannot have ends no window early", async () => {
  const window_uuid = newId();
  const slow = { window_uuid, interval_ms: 60_000, expected_reports: 3 };
  await tell(report({ ...slow, seq: 0, remaining_ms: 0 }));
  await tell(report({ ...slow, seq: 1, remaining_ms: 86_400_000 }));
  expect(await sweep()).toMatchObject({ pending: 0 });
  const { deadline, created_at, status } = await windowOf(window_uuid);
  const seconds = (Date.parse(deadline) - Date.parse(created_at)) / 1_000;
  expect(status).toBe("OPEN");
  expect(seconds).toBeGreaterThan(59);
  expect(seconds).toBeLessThan(241);
  // Its sender ends: what it has said by then is all.
  await tell(report({ ...slow, seq: 1, last: true, remaining_ms: 0 }));
  expect(await stateOf(window_uuid)).toBe("CLOSED");
});

test("who says what cannot be is an alert, and keeps no other window waiting", async () => {
  const odd = { window_uuid: newId(), expected_reports: 6 };
  await tell(report({ ...odd, seq: 3 }));
  await tell(report({ ...odd, seq: 2, last: true })); // and never 1
  const good = report({ expected_reports: 1 });
  await tell(good);
  expect(await stateOf(odd.window_uuid)).toBe("ALERT");
  expect(await windowOf(odd.window_uuid)).toMatchObject({
    expected_reports: 2,
    received_reports: 1,
    missing_slots: [1],
  });
  expect(await stateOf(good.window_uuid)).toBe("CLOSED");
  expect((await tell(report({ ...odd, seq: 1 }))).body.outcome).toBe("late");
  expect((await windowOf(odd.window_uuid)).status).toBe("RESOLVED_LATE");
  expect(await services.differences("monitor")).toEqual([]);
});

test("a window that cannot be decided keeps no other waiting", async () => {
  const [stuck, good] = [report({ expected_reports: 1 }), report({ expected_reports: 1 })];
  await tell(stuck);
  await tell(good);
  await endAll();
  await services.owner(`CREATE FUNCTION monitor.stuck() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'stuck' USING ERRCODE = 'check_violation'; END $$`);
  await services.owner(`CREATE TRIGGER stuck BEFORE UPDATE OF state ON monitor.report_window FOR EACH ROW
    WHEN (OLD.window_uuid = '${stuck.window_uuid}') EXECUTE FUNCTION monitor.stuck()`);
  try {
    const sweeping = sweep();
    await eventually(
      "the other one is decided",
      async () => (await windowOf(good.window_uuid)).status === "CLOSED",
    );
    expect((await windowOf(stuck.window_uuid)).status).toBe("OPEN");
    expect(await Promise.race([sweeping, "it waits for the other one"])).toBe("it waits for the other one");
  } finally {
    await services.owner("DROP TRIGGER stuck ON monitor.report_window");
    await services.owner("DROP FUNCTION monitor.stuck()");
  }
  expect(await stateOf(stuck.window_uuid)).toBe("CLOSED");
});

test("what is no report is a dead letter at once", async () => {
  const letters = () =>
    onChannel(services.settings, async (channel) => (await channel.checkQueue(DLQ)).messageCount);
  const send = (body: string) =>
    services.send([
      { to: "reports", body: Buffer.from(body), properties: { messageId: newId(), type: "monitor.report" } },
    ]);
  await send("{");
  await send(JSON.stringify(report({ seq: 3 })));
  await eventually("two letters", async () => (await letters()) === 2);
  await onChannel(services.settings, (channel) => channel.purgeQueue(DLQ));
});

test("each alert is told once, signed, and shows in what Prometheus is given", async () => {
  const { window_uuid } = await open({ seed: 5, duration_s: 1.2, omission_rate: 1 });
  expect(await stateOf(window_uuid)).toBe("ALERT");
  await sweep();
  const told = () => receiver.received.filter(({ text }) => text.includes(window_uuid));
  await eventually("told", () => told().length > 0);
  await sweep();
  const all = await services.owner("SELECT FROM monitor.webhook WHERE data->>'window_uuid' = $1", [
    window_uuid,
  ]);
  expect(all).toHaveLength(1); // delivered ones are kept for a day
  expect(told()).toHaveLength(1);
  expect(receiver.forged).toEqual([]);
  expect(told()[0]?.body).toMatchObject({
    type: "monitor.window.alert",
    data: { window_uuid, state: "ALERT", received_reports: 0, expected_reports: 6 },
  });
  const [state] = await services.owner<{ alerts: bigint }>(
    "SELECT * FROM monitor.service_state WHERE service = 'payments-a'",
  );
  expect(Number(state?.alerts)).toBeGreaterThan(0);
});

test("two hundred races of the last report and the sweep: in time and closed, or late and resolved; never counted otherwise", async () => {
  const GROUPS = 10;
  const last = Array.from({ length: GROUPS * 20 }, () => report({ seq: 2 }));
  const outcomes: string[] = [];
  for (let group = 0; group < GROUPS; group += 1) {
    const ours = last.slice(group * 20, (group + 1) * 20);
    await Promise.all(ours.map((each) => tell({ ...each, seq: 1 })));
    await endAll();
    const sweeping: Promise<unknown>[] = [];
    for (const [before, each] of ours.entries()) {
      // Each group's sweeps decide two reports later: between the first and the last of them both sides win.
      if (before === group * 2) {
        sweeping.push(sweep(), sweep(), sweep());
      }
      outcomes.push((await tell(each)).body.outcome);
    }
    await Promise.all(sweeping);
  }
  await eventually("all decided", async () => (await sweep()).pending === 0);
  const found = await services.owner<{ window_uuid: string; state: string; received: number }>(
    "SELECT window_uuid, state, received FROM monitor.report_window WHERE window_uuid = ANY ($1::uuid[])",
    [last.map(({ window_uuid }) => window_uuid)],
  );
  const states = new Map(
    found.map(({ window_uuid, state, received }) => [window_uuid, `${state} ${received}`]),
  );
  expect(last.map(({ window_uuid }) => states.get(window_uuid))).toEqual(
    outcomes.map((outcome) => (outcome === "received" ? "CLOSED 2" : "RESOLVED_LATE 1")),
  );
  expect(new Set(outcomes).size).toBe(2); // else nothing raced
  expect(await services.differences("monitor")).toEqual([]);
});
