import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { payments } from "../../tests/harness/process.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { Services } from "../../tests/harness/service.js";
import { Serving } from "../../tests/harness/serving.js";

/**
 * Each part in a process of its own, two of monitor-queue, the servers behind proxies: whatever is away for a time, a window ends as
 * its reporter's audit says, and is told as nothing else in between.
 */
let services: Services;
let broker: TcpProxy;
let postgres: TcpProxy;
let monitor: Serving;
let queues: readonly Serving[];
let reporter: Serving;

/** Longer than a lease, which is five seconds by a heartbeat of one. */
const AWAY_MS = 6_500;

const INTERVAL_MS = 400;

beforeAll(async () => {
  services = await Services.create(
    {
      REPORTER_INTERVAL_MS: String(INTERVAL_MS),
      MONITOR_GRACE_MS: "500",
      MONITOR_SETTLE_MS: "8000", // after three seconds without a broker a link comes back within three, and what waits for it is sent within one
      MONITOR_SWEEP_EVERY_MS: "200",
      RABBITMQ_HEARTBEAT_S: "1",
      AUDIT_GRACE_S: "0",
    },
    "monitor",
  );
  const { RABBITMQ_HOST, RABBITMQ_PORT, POSTGRES_HOST, POSTGRES_PORT } = services.settings;
  broker = await TcpProxy.open(() => ({ host: RABBITMQ_HOST, port: RABBITMQ_PORT }));
  postgres = await TcpProxy.open(() => ({ host: POSTGRES_HOST, port: POSTGRES_PORT }));
  const settings = {
    ...services.settings,
    ...{ RABBITMQ_HOST: "127.0.0.1", RABBITMQ_PORT: broker.port },
    ...{ POSTGRES_HOST: "127.0.0.1", POSTGRES_PORT: postgres.port },
  };
  monitor = await Serving.start(settings, "monitor");
  const start = (module: string) => Serving.start({ ...settings, MONITOR_QUEUE_URL: monitor.url }, module);
  queues = [await start("monitor-queue"), await start("monitor-queue")];
  reporter = await start("reporter");
  await Promise.all([monitor, reporter, ...queues].map((each) => each.ready()));
});
afterAll(async () => {
  const compared = await payments(services.settings, "monitor", "compare", "--json");
  const differences = [
    ...(await services.differences("monitor")),
    ...(await services.differences("reporter")),
  ];
  await Promise.all([monitor, reporter, ...(queues ?? [])].map((each) => each?.stop()));
  await Promise.all([broker?.close(), postgres?.close()]);
  await services?.close();
  expect(compared, compared.stdout).toMatchObject({ code: 0 });
  expect(differences).toEqual([]);
});
beforeEach(() => {
  broker.pass();
  postgres.pass();
});

interface Row {
  readonly id: string;
  readonly expected: number;
  readonly ticks: number;
  readonly sent: number;
  readonly late: number;
  readonly outcomes: readonly string[];
  readonly states: readonly string[];
}

/** Asked of the tables themselves: HTTP may be what is away. */
const look = (ids: readonly string[]) =>
  services.owner<Row>(
    `SELECT w.window_uuid AS id, w.expected, count(t.seq)::integer AS ticks,
            count(*) FILTER (WHERE t.outcome = 'sent')::integer AS sent,
            (SELECT late_reports FROM monitor.window_count c WHERE c.window_uuid = w.window_uuid) AS late,
            coalesce(array_agg(DISTINCT t.outcome) FILTER (WHERE t.seq > 0), '{}') AS outcomes,
            ARRAY(SELECT state FROM monitor.flip f WHERE f.window_uuid = w.window_uuid AND state <> 'UNKNOWN' ORDER BY created_at) AS states
     FROM reporter.report_window w LEFT JOIN reporter.tick t ON t.window_uuid = w.window_uuid AND t.seq > 0
     WHERE w.window_uuid = ANY ($1::uuid[]) GROUP BY w.window_uuid`,
    [ids],
  );

async function open(count: number, ticks: number, omission_rate = 0): Promise<readonly string[]> {
  const opened = Array.from({ length: count }, async () => {
    const answer = await fetch(`${reporter.url}/report-windows`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        seed: 1,
        duration_s: (ticks * INTERVAL_MS) / 1_000,
        error_rate: 0,
        omission_rate,
      }),
    });
    return ((await answer.json()) as { window_uuid: string }).window_uuid;
  });
  return Promise.all(opened);
}

/** All are decided, at once and for good, as their audits say. */
async function endsAsAudited(ids: readonly string[]): Promise<readonly Row[]> {
  const isDecided = ({ ticks, expected, states }: Row) => ticks === expected && states.length > 0;
  await eventually("all are decided", async () => (await look(ids)).every(isDecided), { withinMs: 90_000 });
  const rows = await look(ids);
  expect(rows.map(({ id, states }) => [id, states])).toEqual(
    rows.map(({ id, sent, expected }) => [id, [sent === expected ? "CLOSED" : "ALERT"]]),
  );
  return rows;
}
/** Reports were sent after a server had gone, and none of them was late: a tick or two may be stalled on a busy machine. */
function cameInTime(before: readonly Row[], after: readonly Row[]): void {
  const most = (rows: readonly Row[]) => Math.max(...rows.map(({ sent }) => sent));
  expect(most(after)).toBeGreaterThan(most(before));
  expect(after.map(({ late }) => late)).toEqual(after.map(() => 0));
}
const audited = (ids: readonly string[], least: number) =>
  eventually("so many are audited", async () => (await look(ids)).every(({ ticks }) => ticks >= least), {
    withinMs: 60_000,
  });
const gone = async (ms: number) => {
  const since = performance.now();
  await eventually("it is away for long", () => performance.now() - since > ms, { withinMs: ms + 5_000 });
};

test("the broker is away over a window's end: what was audited is sent once it is back, and nothing is decided before", async () => {
  const ids = [...(await open(5, 20)), ...(await open(1, 20, 1))];
  await audited(ids, 2);
  broker.refuse();
  broker.reset();
  const before = await look(ids);
  await audited(ids, 20);
  await gone(1_300); // past the deadline
  expect((await look(ids)).flatMap(({ states }) => states)).toEqual([]);
  broker.pass();
  cameInTime(before, await endsAsAudited(ids));
});

test("the monitor is killed, and away for longer than a lease: reports in anybody's hands are waited for", async () => {
  const ids = [...(await open(20, 20)), ...(await open(1, 20, 1))];
  await audited(ids, 2);
  await monitor.stop("SIGKILL");
  const before = await look(ids);
  await audited(ids, 20);
  await gone(AWAY_MS);
  await monitor.replace();
  await monitor.ready();
  cameInTime(before, await endsAsAudited(ids));
});

test("the monitor is frozen for longer than a lease, over a window's end", async () => {
  const ids = [...(await open(20, 20)), ...(await open(1, 20, 1))];
  await audited(ids, 2);
  monitor.signal("SIGSTOP");
  const before = await look(ids);
  await audited(ids, 20);
  await gone(AWAY_MS);
  monitor.signal("SIGCONT");
  cameInTime(before, await endsAsAudited(ids));
});

test("PostgreSQL is away: what it did not audit was not sent, and is stalled", async () => {
  const ids = await open(5, 12);
  await audited(ids, 3);
  postgres.refuse();
  postgres.reset();
  await gone(2_500);
  postgres.pass();
  const rows = await endsAsAudited(ids);
  expect(rows.every(({ outcomes }) => outcomes.includes("stalled"))).toBe(true);
});

test("two hundred windows of a reporter that was killed are gone on with, none later than the others", async () => {
  const ids = await open(200, 30);
  await audited(ids, 2);
  await reporter.replace();
  await reporter.ready();
  const rows = await endsAsAudited(ids);
  expect(rows.every(({ outcomes }) => outcomes.includes("unknown") && outcomes.includes("sent"))).toBe(true);
  // What it had audited, and maybe not sent, goes within 15 s.
  await eventually(
    "nothing is left",
    async () => (await look(ids)).every(({ outcomes }) => !outcomes.includes("sending")),
    { withinMs: 30_000 },
  );
});
