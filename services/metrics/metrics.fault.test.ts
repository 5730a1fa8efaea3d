import { afterEach, beforeEach, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { processState, startServiceAt } from "../../tests/harness/process.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { Services } from "../../tests/harness/service.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletResponse } from "../contracts/wallet_response.js";

let services: Services;
let observer: Awaited<ReturnType<typeof startMetrics>>;
/** The observer's way to the broker, and nobody else's. */
let broker: TcpProxy;
afterEach(async () => {
  observer?.child.kill("SIGKILL");
  await observer?.ended;
  await broker?.close();
  await services?.close();
});

/** metrics-service in a process of its own, and what it says over HTTP. */
async function startMetrics() {
  const port = await freePort();
  const settings = { ...services.settings, RABBITMQ_PORT: broker.port, HTTP_PORT: port };
  const started = startServiceAt(settings, { module: "metrics", point: "never", signal: "SIGKILL" });
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const debits = async () =>
    Number(/^wallet_debit_requested_total (\d+)$/m.exec((await get("/metrics")).text)?.[1]);
  const ready = () =>
    eventually(
      "metrics-service is ready",
      async () => (await get("/readyz").catch(() => undefined))?.status === 200,
      { withinMs: 60_000 },
    );
  return { ...started, get, debits, ready };
}

const debits = (count: number) =>
  Array.from({ length: count }, () => ({
    payment_id: newId(),
    user_id: "nobody",
    amount: "1.00",
    currency: "USD",
  }));

beforeEach(async () => {
  services = await Services.create({ RABBITMQ_HEARTBEAT_S: "60" }, "wallet");
  const { RABBITMQ_HOST: host, RABBITMQ_PORT: port } = services.settings;
  broker = await TcpProxy.open(() => ({ host, port }));
});

test("a frozen observer stops no money, and counts what waited for it when it wakes", async () => {
  const DEBITS = 1_000;
  await services.start();
  const responses = await services.watch(walletResponse);
  observer = await startMetrics();
  await observer.ready();
  observer.child.kill("SIGSTOP");
  await eventually("frozen", async () => (await processState(observer.child.pid)) === "T");
  await services.publish(walletDebitRequested, debits(DEBITS));
  await eventually("all answered", async () => (await responses()).length === DEBITS, { withinMs: 60_000 });
  observer.child.kill("SIGCONT");
  await eventually("counted", async () => (await observer.debits()) === DEBITS, { withinMs: 30_000 });
  observer.child.kill("SIGTERM");
  expect((await observer.ended).code).toBe(0);
});

test("without a broker it starts and says that it is not ready; it counts once there is one, also after it went away", async () => {
  broker.refuse();
  observer = await startMetrics();
  await eventually("it answers", () =>
    observer.get("/livez").then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  expect((await observer.get("/readyz")).status).toBe(503);
  const health = await observer.get("/health");
  expect(health.status).toBe(200);
  expect(JSON.parse(health.text)).toMatchObject({ status: "degraded", checks: { rabbitmq: "down" } });
  broker.pass();
  await observer.ready();
  await services.publish(walletDebitRequested, debits(1));
  await eventually("counted", async () => (await observer.debits()) === 1);

  const links = () => observer.output.stderr.split("broker connection up").length - 1;
  const before = links();
  broker.reset();
  await eventually("it has another link", () => links() > before);
  await observer.ready();
  await services.publish(walletDebitRequested, debits(1));
  await eventually("counted again", async () => (await observer.debits()) === 2);
  observer.child.kill("SIGTERM");
  expect((await observer.ended).code).toBe(0);
});
