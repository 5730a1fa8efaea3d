import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { drain } from "../../tests/harness/broker.js";
import { withPool } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { payments, processState, startPayments, startServiceAt } from "../../tests/harness/process.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { archived, ended, pago, tellPayouts } from "../../tests/harness/reports.js";
import { sampled } from "../../tests/harness/sampled.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsEvtCompleted, paymentsEvtPending } from "../contracts/payments_evt.js";
import { LEASE_S } from "./store/generation.js";

let services: Services;
beforeEach(async () => {
  services = await Services.create({ RABBITMQ_HEARTBEAT_S: "2" }, "reports");
});
afterEach(() => services?.close());

const at = async (point: string, signal: NodeJS.Signals = "SIGKILL", HTTP_PORT?: number) =>
  startServiceAt(
    { ...services.settings, HTTP_PORT: HTTP_PORT ?? (await freePort()) },
    { module: "reports", point, signal },
  );
const totals = async () => (await services.get("/api/reports/payments")).body.totals;

test("kill -9 between two statements of a batch: each event counts once", async () => {
  const points = sampled([
    "reports_lock_head",
    "reports_enter",
    "reports_live",
    "reports_project_payouts",
    "reports_move_head",
    "COMMIT",
  ]);
  const payouts = Array.from({ length: 20 * points.length }, () => pago());
  for (const [i, point] of points.entries()) {
    await services.publish(paymentsEvtPending, payouts.slice(20 * i, 20 * i + 20));
    await (await at(point)).ended;
  }
  await services.start();
  await services.publish(
    paymentsEvtCompleted,
    payouts.map((of) => ended(of, "EXITOSO")),
  );
  await archived(services, 2 * payouts.length);
  const count = payouts.length;
  expect(await totals()).toEqual([
    { currency: "USD", count, amount: `${10 * count}.00`, completed: count, failed: 0 },
  ]);
  expect(await services.differences("reports")).toEqual([]);
  expect(await drain(services.settings, "reports.dlq")).toEqual([]);
});

test("a process that is frozen with the head in hand lets go of it within seconds, and changes nothing when it wakes", async () => {
  await services.publish(paymentsEvtPending, [pago()]);
  const frozen = await at("reports_move_head", "SIGSTOP");
  try {
    await eventually("frozen", async () => (await processState(frozen.child.pid)) === "T", {
      withinMs: 60_000,
      everyMs: 25,
    });
    const free = () =>
      services.owner("SELECT FROM reports.head FOR UPDATE NOWAIT").then(
        () => true,
        () => false,
      );
    await eventually("the head is free", free, { withinMs: 5_000 });
    await services.start();
    await services.publish(paymentsEvtPending, [pago(), pago()]);
    // What the frozen one has fetched comes back when the broker misses its heartbeats.
    await archived(services, 3);
  } finally {
    frozen.child.kill("SIGCONT");
  }
  frozen.child.kill("SIGTERM");
  expect((await frozen.ended).code).toBe(0);
  expect(await totals()).toMatchObject([{ count: 3 }]);
  expect(await services.differences("reports")).toEqual([]);
});

test("two processes share the events, doubled and in disorder", async () => {
  const port = await freePort();
  const second = await at("never", "SIGKILL", port);
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  await eventually("the second is ready", () => isReady().catch(() => false), { withinMs: 60_000 });
  await services.start();
  const payouts = Array.from({ length: 300 }, () => pago());
  const ends = payouts.map((of) => ended(of, "EXITOSO"));
  await Promise.all([
    services.publish(paymentsEvtCompleted, [...ends, ...ends]),
    services.publish(paymentsEvtPending, [...payouts, ...payouts.toReversed()]),
  ]);
  await archived(services, 600);
  second.child.kill("SIGTERM");
  expect((await second.ended).code).toBe(0);
  expect(await totals()).toMatchObject([{ count: 300, completed: 300 }]);
  expect(await services.differences("reports")).toEqual([]);
});

test("kill -9 of a rebuild in its middle: another one goes on with what it had", async () => {
  await services.start();
  await tellPayouts(services, 1_500);
  // Its last stretch takes long; what was before is committed.
  await services.owner(
    "CREATE FUNCTION reports.wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'",
  );
  await services.owner(
    `CREATE TRIGGER slow BEFORE UPDATE ON reports.generation FOR EACH ROW WHEN (NEW.position = 3000) EXECUTE FUNCTION reports.wait()`,
  );
  const doomed = startPayments(services.settings, "reports", "rebuild");
  const position = async () =>
    (
      await services.owner<{ position: number }>(
        "SELECT position FROM reports.generation WHERE generation = 2",
      )
    )[0]?.position;
  await eventually("it is in the middle", async () => (await position()) === 2_000, { withinMs: 30_000 });
  doomed.child.kill("SIGKILL");
  await doomed.ended;
  await withPool({ role: "admin" }, (admin) =>
    admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'payments reports'",
      [services.settings.POSTGRES_DB],
    ),
  );
  await services.owner("DROP TRIGGER slow ON reports.generation");
  // Nobody renews its lease, which ends soon by itself; as if it had.
  const [lease] = await services.owner<{ ends: boolean }>(
    `SELECT leased_until <= clock_timestamp() + make_interval(secs => ${LEASE_S}) AS ends FROM reports.generation WHERE generation = 2`,
  );
  expect(lease).toEqual({ ends: true });
  await services.owner("UPDATE reports.generation SET leased_until = now() WHERE generation = 2");
  const again = await payments(services.settings, "reports", "rebuild", "--json");
  expect([again.code, again.stderr]).toEqual([0, ""]);
  expect(JSON.parse(again.stdout)).toMatchObject({ kind: "swapped", generation: 2, position: 3_000 });
  expect(await services.differences("reports")).toEqual([]);
});

test("without a broker reports are served, and say that their lag is unknown; without a database they are not", async () => {
  const { RABBITMQ_HOST, RABBITMQ_PORT, POSTGRES_HOST, POSTGRES_PORT } = services.settings;
  const broker = await TcpProxy.open(() => ({ host: RABBITMQ_HOST, port: RABBITMQ_PORT }));
  const database = await TcpProxy.open(() => ({ host: POSTGRES_HOST, port: POSTGRES_PORT }));
  onTestFinished(() => Promise.all([broker.close(), database.close()]).then(() => undefined));
  await services.start(() => ({ RABBITMQ_PORT: broker.port, POSTGRES_PORT: database.port }));
  await tellPayouts(services, 4);
  broker.refuse();
  broker.reset();
  const health = () => services.get("/api/reports/health");
  await eventually("it says so", async () => (await health()).body.status === "degraded", {
    withinMs: 30_000,
  });
  const lag = async () => (await services.get("/api/reports/payments")).headers.get("x-report-lag");
  await eventually("nobody knows", async () => (await lag()) === "unknown", { withinMs: 30_000 });
  expect((await totals()).length).toBeGreaterThan(0);
  broker.pass();
  await eventually("all is well again", async () => (await health()).body.status === "healthy", {
    withinMs: 120_000,
  });
  database.refuse();
  database.reset();
  const { status, body } = await health();
  expect([status, body.status, body.report]).toEqual([503, "unhealthy", null]);
  const refused = await services.get("/api/reports/payments");
  expect([refused.status, refused.body.code, refused.headers.get("vary")]).toEqual([
    503,
    "UNAVAILABLE",
    "X-Report-Version",
  ]);
  database.pass();
  await eventually("served again", async () => (await services.get("/api/reports/payments")).status === 200, {
    withinMs: 30_000,
  });
});
