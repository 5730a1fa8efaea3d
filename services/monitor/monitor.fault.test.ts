import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { MonitorDoor } from "../../tests/harness/monitor_door.js";
import { payments, startServiceAt } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";
import { Serving } from "../../tests/harness/serving.js";

/** The monitor and its sweep run here; reporter and monitor-queue in processes of their own, to be killed and frozen. */
let door: MonitorDoor;
let services: Services;
let queue: Serving;
let reporter: Serving;

beforeAll(async () => {
  door = await MonitorDoor.open();
  services = await Services.create(
    {
      REPORTER_INTERVAL_MS: "250",
      MONITOR_GRACE_MS: "300",
      MONITOR_SETTLE_MS: "0",
      MONITOR_SWEEP_EVERY_MS: "200",
      MONITOR_UNKNOWN_AFTER_S: "1",
      MONITOR_QUEUE_URL: door.url,
      MONITOR_QUEUE_TRIES: "2",
      MONITOR_QUEUE_FIRST_WAIT_MS: "1",
      RABBITMQ_HEARTBEAT_S: "1",
      AUDIT_GRACE_S: "0",
    },
    "monitor",
  );
  await services.start();
  door.leadTo(services.url);
  queue = await Serving.start(services.settings, "monitor-queue");
  reporter = await Serving.start(services.settings, "reporter");
  await Promise.all([queue.ready(), reporter.ready()]);
});
/** Whatever happened, the books agree in the end. */
afterAll(async () => {
  const compared = await payments(services.settings, "monitor", "compare", "--json");
  const differences = [
    ...(await services.differences("monitor")),
    ...(await services.differences("reporter")),
  ];
  await Promise.all([queue?.stop(), reporter?.stop()]);
  await services?.close();
  await door?.close();
  expect(compared, compared.stdout).toMatchObject({ code: 0 });
  expect(differences).toEqual([]);
});
beforeEach(() => {
  door.say = () => "through";
});
interface Opened {
  readonly window_uuid: string;
  readonly expected_reports: number;
}

async function open(body: object = {}, at = reporter.url): Promise<Opened> {
  const answer = await fetch(`${at}/report-windows`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ seed: 1, duration_s: 1.5, error_rate: 0, omission_rate: 0, ...body }),
  });
  return (await answer.json()) as Opened;
}
const find = async ({ window_uuid }: Opened) =>
  (await services.get(`/api/monitor/windows/${window_uuid}`)).body;
const flips = async ({ window_uuid }: Opened) =>
  (
    await services.owner<{ state: string }>(
      "SELECT state FROM monitor.flip WHERE window_uuid = $1 ORDER BY created_at",
      [window_uuid],
    )
  ).map(({ state }) => state);
const decided = (window: Opened) =>
  eventually("decided", async () => typeof (await find(window)).closed_at === "string", { withinMs: 60_000 });
/** What its state must be by the audit of its reporter: a tick may have been late on a busy machine. */
const expected = async ({ window_uuid, expected_reports }: Opened) => {
  const [row] = await services.owner<{ sent: number }>(
    "SELECT count(*) FILTER (WHERE sent_to_queue)::integer AS sent FROM public.report_audit WHERE window_uuid = $1",
    [window_uuid],
  );
  return row?.sent === expected_reports ? "CLOSED" : "ALERT";
};

test("the monitor is away for the whole of a window, longer than all tries would take: nothing is lost, nothing parked", async () => {
  door.say = () => "hang up";
  const [full, silent] = [await open(), await open({ omission_rate: 1 })];
  await eventually(
    "over",
    async () => (await expected(full)) === "CLOSED" || (await expectedTicks(full)) === 6,
  );
  const tried = door.seen.filter(({ path }) => path === "/api/monitor/heartbeats").length;
  expect(tried).toBeGreaterThan(0);
  door.say = () => "through";
  await Promise.all([decided(full), decided(silent)]);
  expect((await find(full)).status).toBe(await expected(full));
  expect(await find(silent)).toMatchObject({ status: "ALERT", received_reports: 0 });
  expect(await flips(full)).not.toContain("RESOLVED_LATE");
});

const expectedTicks = async ({ window_uuid }: Opened) =>
  Number(
    (
      await services.owner<{ n: bigint }>(
        "SELECT count(*) AS n FROM public.report_audit WHERE window_uuid = $1",
        [window_uuid],
      )
    )[0]?.n,
  );

test("one report is refused again and again while others are taken: it alone waits, is parked, and comes late by a replay", async () => {
  const [bad, good] = [await open(), await open()];
  door.say = (_, body) =>
    body.includes(bad.window_uuid) && /"seq":2\b/.test(body) ? { status: 500 } : "through";
  await Promise.all([decided(bad), decided(good)]);
  expect((await find(good)).status).toBe(await expected(good));
  expect(await find(bad)).toMatchObject({ status: "ALERT" });
  expect((await find(bad)).missing_slots).toContain(2);
  const { stdout } = await payments(services.settings, "monitor", "compare", bad.window_uuid, "--json");
  expect(JSON.parse(stdout).windows[0]).toMatchObject({ deadLettered: 1, differences: [] });
  const recorded = "SELECT queue, event FROM ops.dead_letter WHERE trace_id = $1";
  expect(await services.owner(recorded, [bad.window_uuid])).toEqual([
    { queue: "monitor-queue.dlq", event: "monitor.report" },
  ]);
  const complete = (await expected(bad)) === "CLOSED";
  door.say = () => "through";
  const replayed = await payments(
    services.settings,
    "dlq",
    "replay",
    "--queue",
    "monitor-queue.dlq",
    "--all",
  );
  expect(replayed, replayed.stderr).toMatchObject({ code: 0 });
  await eventually("it came late", async () => (await find(bad)).late_reports === 1);
  expect((await find(bad)).status).toBe(complete ? "RESOLVED_LATE" : "ALERT");
});

test("Retry-After is waited for", async () => {
  const window = await open();
  let refused = 0;
  door.say = (path, body) =>
    path === "/api/monitor/heartbeats" && body.includes(window.window_uuid) && refused++ === 0
      ? { status: 429, retryAfterS: 1 }
      : "through";
  await decided(window);
  expect((await find(window)).status).toBe(await expected(window));
  const tries = door.seen.filter(
    ({ body }) => body.includes(window.window_uuid) && body.includes('"seq":0,'),
  );
  expect((tries[1]?.atMs ?? 0) - (tries[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(990);
});

test("monitor-queue is killed with reports in hand, and away past a window's end: UNKNOWN, then as the audit says", async () => {
  door.say = (path) => (path === "/api/monitor/heartbeats" ? { status: 503 } : "through");
  const [full, silent] = [await open(), await open({ omission_rate: 1 })];
  await eventually("some are in hand", () => door.seen.some(({ body }) => body.includes(full.window_uuid)));
  await queue.stop("SIGKILL");
  door.say = () => "through";
  await eventually("its ticks are over", async () => (await expectedTicks(full)) === 6);
  await queue.replace();
  await Promise.all([decided(full), decided(silent)]);
  expect((await find(full)).status).toBe(await expected(full));
  expect((await find(silent)).status).toBe("ALERT");
  // While it was away nothing was decided.
  const late = await open({ duration_s: 7.5 });
  await eventually("known", async () => (await find(late)).status === "OPEN");
  await queue.stop("SIGKILL");
  await eventually("nobody knows", async () => (await find(late)).status === "UNKNOWN", { withinMs: 30_000 });
  await queue.replace();
  await decided(late);
  expect((await find(late)).status).toBe(await expected(late));
  expect(await flips(late)).toEqual(["UNKNOWN", await expected(late)]);
});

test("monitor-queue is frozen with reports in hand while another one works: no false alert", async () => {
  const window = await open({ duration_s: 7.5 });
  await eventually("known", async () => (await find(window)).status === "OPEN");
  door.say = (path, body) =>
    path === "/api/monitor/heartbeats" && body.includes(window.window_uuid) ? { status: 503 } : "through";
  await eventually("one is in hand", () =>
    door.seen.some(({ body }) => body.includes(window.window_uuid) && body.includes('"seq":3')),
  );
  queue.signal("SIGSTOP");
  door.say = () => "through";
  const other = await Serving.start(services.settings, "monitor-queue");
  try {
    await decided(window);
    expect((await find(window)).status).toBe(await expected(window));
    expect(await flips(window)).not.toContain("RESOLVED_LATE");
  } finally {
    queue.signal("SIGCONT");
    await other.stop();
  }
});

test("a reporter is killed at tick 3: another one of its name goes on, and owes no tick", async () => {
  const port = await freePort();
  const settings = { ...services.settings, SERVICE_NAME: "payments-k", HTTP_PORT: port };
  // The declaration is entered with its window; ticks 1 and 2, then the third.
  const doomed = startServiceAt(settings, {
    module: "reporter",
    point: "reporter_enter_ticks",
    nth: 3,
    signal: "SIGKILL",
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    "ready",
    async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200,
    { withinMs: 30_000 },
  );
  const window = await open({ duration_s: 4 }, url);
  await doomed.ended;
  const heir = await Serving.start({ ...services.settings, SERVICE_NAME: "payments-k" }, "reporter");
  try {
    await eventually("all of its ticks are audited", async () => (await expectedTicks(window)) === 16, {
      withinMs: 30_000,
    });
    await decided(window);
    const ticks = await services.owner<{ outcome: string; n: number }>(
      "SELECT outcome, count(*)::integer AS n FROM reporter.tick WHERE window_uuid = $1 AND seq > 0 GROUP BY 1",
      [window.window_uuid],
    );
    const by = new Map(ticks.map(({ outcome, n }) => [outcome, n]));
    expect(by.get("unknown")).toBeGreaterThan(0);
    expect([...by.values()].reduce((sum, n) => sum + n, 0)).toBe(16);
    expect(await find(window)).toMatchObject({ status: "ALERT", received_reports: by.get("sent") });
  } finally {
    await heir.stop();
  }
});

test("a reporter is frozen: what went by is stalled, and not made up for", async () => {
  const window = await open({ duration_s: 7.5 });
  await eventually("two have come", async () => (await find(window)).received_reports >= 2);
  reporter.signal("SIGSTOP");
  const frozenAt = performance.now();
  await eventually("three go by", () => performance.now() - frozenAt > 800);
  reporter.signal("SIGCONT");
  await decided(window);
  const [row] = await services.owner<{ stalled: number; sent: number }>(
    `SELECT count(*) FILTER (WHERE outcome = 'stalled')::integer AS stalled, count(*) FILTER (WHERE outcome = 'sent')::integer AS sent
     FROM reporter.tick WHERE window_uuid = $1 AND seq > 0`,
    [window.window_uuid],
  );
  expect(row?.stalled).toBeGreaterThanOrEqual(2);
  expect(await find(window)).toMatchObject({ status: "ALERT", received_reports: row?.sent });
  expect((await find(window)).missing_slots).toHaveLength(row?.stalled ?? 0);
});
