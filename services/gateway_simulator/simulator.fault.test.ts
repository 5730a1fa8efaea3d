import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { startPayments } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";

const PAGOS = 200;
let folder: string;
let services: Services;
let webhookUrl: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "simulator-"));
  const port = String(await freePort());
  services = await Services.create(
    {
      STRIPE_API_KEY: "sk_test",
      STRIPE_API_BASE: `http://127.0.0.1:${port}`,
      STRIPE_WEBHOOK_SECRET: "whsec_a",
      PAYOUTS_BOOK_URL: `http://127.0.0.1:${port}/book`,
      PAYOUTS_CALL_TIMEOUT_S: "2",
      PAYOUTS_PROBE_AFTER_S: "1",
      PAYOUTS_ASK_AFTER_S: "2",
      PAYOUTS_GIVE_UP_S: "5", // it books at once
      SIMULATOR_PORT: port,
      SIMULATOR_BOOK_PATH: join(folder, "book.ndjson"),
      SIMULATOR_WEBHOOK_SECRET: "whsec_a",
    },
    "payouts",
  );
  await services.start((url) => {
    webhookUrl = `${url}/pagos/webhooks/stripe`;
    return {};
  });
});
afterAll(async () => {
  await services?.close();
  rmSync(folder, { recursive: true });
});

async function simulator() {
  const settings = { ...services.settings, SIMULATOR_WEBHOOK_URL: webhookUrl, LOG_LEVEL: "warn" };
  const started = startPayments(settings, "serve", "gateway-simulator");
  const { STRIPE_API_BASE: base } = services.settings;
  await eventually("the simulator is up", async () =>
    fetch(`${base}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return started;
}
const settled = async () => {
  const [row] = await services.owner<{ n: number }>(
    "SELECT count(*)::int AS n FROM payouts.pago WHERE estado IN ('EXITOSO', 'FALLIDO')",
  );
  return row?.n ?? 0;
};

test("kill -9 of the gateway while it pays: it knows what it has paid, and no Pago is paid twice", async () => {
  let gateway = await simulator();
  const asked = Array.from({ length: PAGOS }, (_, i) => ({
    id_afiliado: "ada",
    monto: `${1 + i}.00`,
    moneda: "EUR",
    referencia_pago: randomUUID(),
  }));
  await Promise.all(asked.map((each) => services.post("/pagos", each)));
  for (const part of [0.2, 0.5]) {
    await eventually("some are settled", async () => (await settled()) > part * PAGOS, { withinMs: 60_000 });
    gateway.child.kill("SIGKILL");
    await gateway.ended;
    gateway = await simulator();
  }
  await eventually("all are settled", async () => (await settled()) === PAGOS, { withinMs: 120_000 });
  await eventually("the books agree", async () => (await services.audit()).length === 0, {
    withinMs: 30_000,
  });
  gateway.child.kill("SIGTERM");
  expect((await gateway.ended).code).toBe(0);
});
