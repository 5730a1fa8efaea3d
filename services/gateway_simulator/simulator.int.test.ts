import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { payments } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";
import { payoutFate } from "./fate.js";

/** Payouts and the simulator in one process, three requests in ten going wrong. */
const PAGOS = 300;
const FATES = { seed: 7, failureRate: 0.3, returnRate: 0.05 };
let folder: string;
let services: Services;
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
      SIMULATOR_SEED: String(FATES.seed),
      SIMULATOR_LATENCY_MS: "10",
      // Money that comes back does so five times later: after its payment was told, also on a slow machine.
      SIMULATOR_SETTLE_MS: "400",
      SIMULATOR_FAILURE_RATE: String(FATES.failureRate),
      SIMULATOR_RETURN_RATE: String(FATES.returnRate),
      SIMULATOR_REPEAT_RATE: "0.3",
      SIMULATOR_WEBHOOK_SECRET: "whsec_a",
    },
    "payouts",
    "gateway-simulator",
  );
  await services.start((url) => ({ SIMULATOR_WEBHOOK_URL: `${url}/pagos/webhooks/stripe` }));
});
afterAll(async () => {
  await services?.close();
  rmSync(folder, { recursive: true });
});

const states = async () =>
  Object.fromEntries(
    (
      await services.owner<{ estado: string; n: number }>(
        "SELECT CASE WHEN returned THEN 'devuelto' ELSE estado END AS estado, count(*)::int AS n FROM payouts.audit_pago GROUP BY 1",
      )
    ).map(({ estado, n }) => [estado, n]),
  );

/** Payouts whose money has yet to come back. */
async function dueBack(): Promise<number> {
  const book = await (await fetch(services.settings.PAYOUTS_BOOK_URL)).text();
  return book
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { id: string; status: string })
    .filter(({ id, status }) => status === "paid" && payoutFate(FATES, id).kind === "returned").length;
}

test("whatever goes wrong at the gateway, each Pago is settled once and both books are equal", async () => {
  const asked = Array.from({ length: PAGOS }, (_, i) => ({
    id_afiliado: `afiliado-${i % 20}`,
    monto: `${1 + i}.00`,
    moneda: ["USD", "EUR", "COP"][i % 3],
    referencia_pago: randomUUID(),
  }));
  const answers = await Promise.all(asked.map((each) => services.post("/pagos", each)));
  expect(answers.every(({ status }) => status === 202)).toBe(true);
  await eventually(
    "all settled",
    async () => {
      const { PENDIENTE = 0, PROCESANDO = 0 } = await states();
      return PENDIENTE + PROCESANDO === 0;
    },
    { withinMs: 120_000 },
  );
  await eventually("no money is still to come back", async () => (await dueBack()) === 0);
  await eventually("the books agree", async () => (await services.audit()).length === 0, {
    withinMs: 30_000,
  });
  const { EXITOSO = 0, FALLIDO = 0, devuelto = 0 } = await states();
  expect(EXITOSO + FALLIDO + devuelto).toBe(PAGOS);
  expect(EXITOSO).toBeGreaterThan(PAGOS / 2);
  expect([FALLIDO > 0, devuelto > 0]).toEqual([true, true]);
  const illegal = await services.owner<{ reason: string }>(
    "SELECT DISTINCT reason FROM payouts.illegal_transition",
  );
  // Of a payout whose return came before its payment.
  expect(illegal.filter(({ reason }) => reason !== "paid after it was FALLIDO")).toEqual([]);
});

test("payments audit names what the gateway's book has otherwise, and ends with 3", async () => {
  const run = (...args: string[]) => payments(services.settings, "audit", ...args);
  expect(await run("--quiesced")).toMatchObject({ code: 0, stdout: "audited: the books agree\n" });
  const [row] = await services.owner<{ id: string }>(
    "SELECT id_pago AS id FROM payouts.audit_pago WHERE estado = 'EXITOSO' AND NOT returned LIMIT 1",
  );
  const stranger = randomUUID();
  const form = new URLSearchParams({ amount: "700", currency: "usd", "metadata[id_pago]": stranger });
  const base = services.settings.STRIPE_API_BASE;
  await eventually("paid past us", async () => {
    const headers = { authorization: "Bearer sk", "idempotency-key": randomUUID() };
    // Some requests are never answered.
    const signal = AbortSignal.timeout(2_000);
    const paid = fetch(`${base}/v1/payouts`, { method: "POST", headers, body: form, signal });
    return (await paid.catch(() => undefined))?.status === 200; // Things go wrong for us too.
  });
  await services.owner(`ALTER TABLE payouts.pago DISABLE TRIGGER USER`);
  await services.owner(`ALTER TABLE payouts.paid DISABLE TRIGGER USER`);
  await services.owner(`ALTER TABLE payouts.paid DROP CONSTRAINT paid_id_pago_monto_moneda_fkey`);
  await services.owner(`UPDATE payouts.pago SET monto = monto + 1 WHERE id_pago = '${row?.id}'`);
  await services.owner(`UPDATE payouts.paid SET monto = monto + 1 WHERE id_pago = '${row?.id}'`);
  const { code, stdout } = await run("--quiesced", "--json");
  expect(code).toBe(3);
  const { differences } = JSON.parse(stdout) as { differences: { module: string; what: string }[] };
  expect([...new Set(differences.map(({ module, what }) => `${module} ${what}`))].sort()).toEqual(
    [`payouts Pago ${row?.id}`, `payouts Pago ${stranger}`].sort(),
  );
});

test("a book that cannot be read is named, the others are audited all the same, and the end is no clean one", async () => {
  const nowhere = { ...services.settings, PAYOUTS_BOOK_URL: `http://127.0.0.1:${await freePort()}/book` };
  // The test before changed a Pago and what was paid for it alike: only the gateway's book tells.
  const { code, stdout, stderr } = await payments(nowhere, "audit", "--quiesced");
  expect([code, stdout]).toEqual([4, "audited: the books agree, but for what payouts could not read\n"]);
  expect(stderr).toContain("GATEWAY_BOOK_UNREADABLE");
  const json = await payments(nowhere, "audit", "--json");
  expect(JSON.parse(json.stdout)).toEqual({
    differences: [],
    unread: [{ module: "payouts", code: "GATEWAY_BOOK_UNREADABLE" }],
  });
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "GATEWAY_BOOK_UNREADABLE" } });
  await services.owner(
    "INSERT INTO payouts.outbox (message_id, event, headers, body, entered_at, claimed_until) VALUES (gen_random_uuid(), 'x', '{}', '', now() - interval '1 day', now() + interval '1 day')",
  );
  expect((await payments(nowhere, "audit")).code).toBe(3);
});
