import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { FakeGateway, WEBHOOK_SECRET, webhook } from "../../tests/harness/fake_gateway.js";
import { freePort } from "../../tests/harness/free_port.js";
import { processState, startServiceAt } from "../../tests/harness/process.js";
import { sampled } from "../../tests/harness/sampled.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsEvtCompleted } from "../contracts/payments_evt.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";

let services: Services;
let gateway: FakeGateway;
beforeEach(async () => {
  gateway = await FakeGateway.start();
  services = await Services.create(
    {
      STRIPE_API_BASE: gateway.url,
      STRIPE_API_KEY: "sk_test",
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      PAYOUTS_CALL_TIMEOUT_S: "5",
      PAYOUTS_PROBE_AFTER_S: "2",
      PAYOUTS_ASK_AFTER_S: "1",
    },
    "payouts",
  );
});
afterEach(async () => {
  await services?.close();
  await gateway?.close();
});

const request = () => ({
  id_afiliado: "ada",
  monto: "10.00",
  moneda: "USD" as const,
  referencia_pago: randomUUID(),
});
const states = async () => {
  const rows = await services.owner<{ estado: string }>("SELECT estado FROM payouts.pago");
  return rows.map((row) => row.estado);
};
const tell = (payout: Parameters<typeof webhook>[0]) => {
  const { body, headers } = webhook(payout);
  return services.request("POST", "/pagos/webhooks/stripe", body, headers);
};
/** Its leases have run out. */
const letGo = () =>
  services.owner("UPDATE payouts.pago SET due_at = now() WHERE estado IN ('PENDIENTE', 'PROCESANDO')");
const onePayoutEach = () => {
  const ids = [...gateway.payouts.values()].map(({ metadata }) => metadata["id_pago"]);
  expect(new Set(ids).size).toBe(ids.length);
};

/** A gateway that pays at once, so that nothing has to be told. */
const paysAtOnce = () => {
  gateway.onPay = ({ pay }) => {
    const payout = pay();
    payout.status = "paid";
    return { status: 200, body: payout };
  };
};

/** A process that signals itself at a point. */
const doomed = async (point: string, signal: NodeJS.Signals = "SIGKILL") => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const started = startServiceAt(
    { ...services.settings, HTTP_PORT: port },
    { module: "payouts", point, signal },
  );
  return { ...started, url };
};

/** Before Pagos are taken, before the gateway's answer is noted, before it is applied, between commit and publish, before the outbox's row goes. */
test.each(
  sampled(
    ["payouts_enter", "payouts_take", "payouts_find", "payouts_apply", "committed", "published"],
    ["committed"],
  ),
)("kill -9 at %s: every Pago is paid once and told", async (point) => {
  const completed = await services.watch(paymentsEvtCompleted);
  paysAtOnce();
  const asked = Array.from({ length: 20 }, request);
  await services.publish(payoutsPayoutRequested, asked);
  const { ended } = await doomed(point);
  await ended;
  await services.start();
  await eventually("all are there", async () => (await states()).length === 20, { withinMs: 30_000 });
  await letGo();
  await eventually("all paid", async () => (await states()).every((each) => each === "EXITOSO"), {
    withinMs: 30_000,
  });
  onePayoutEach();
  expect(gateway.payouts.size).toBe(20);
  await eventually(
    "told",
    async () => new Set((await completed()).map(({ body }) => body.id_pago)).size === 20,
    {
      withinMs: 30_000,
    },
  );
  // What was left in the outbox is taken after 5 s.
  await eventually("the books agree", async () => (await services.audit()).length === 0, {
    withinMs: 30_000,
  });
});

test("kill -9 while the gateway has it in hand, and before what it took is noted: paid once", async () => {
  const { ended } = await doomed("payouts_note");
  await services.publish(payoutsPayoutRequested, Array.from({ length: 20 }, request));
  await ended;
  expect(gateway.payouts.size).toBeGreaterThan(0);
  await services.start();
  await letGo();
  await eventually("all taken", () => gateway.payouts.size === 20, { withinMs: 30_000 });
  for (const payout of gateway.payouts.values()) {
    payout.status = "paid";
  }
  await letGo();
  await eventually("all paid", async () => (await states()).every((each) => each === "EXITOSO"), {
    withinMs: 60_000,
  });
  onePayoutEach();
});

test("a process that is frozen with Pagos in hand: another one goes on, and it changes nothing when it wakes", async () => {
  paysAtOnce();
  const frozen = await doomed("payouts_find", "SIGSTOP");
  await services.publish(payoutsPayoutRequested, Array.from({ length: 20 }, request));
  await eventually("frozen", async () => (await processState(frozen.child.pid)) === "T", {
    withinMs: 30_000,
  });
  expect(gateway.payouts.size).toBeGreaterThan(0);
  await services.start();
  await eventually("all are there", async () => (await states()).length === 20, { withinMs: 30_000 });
  await letGo();
  await eventually("all paid", async () => (await states()).every((each) => each === "EXITOSO"), {
    withinMs: 60_000,
  });
  frozen.child.kill("SIGCONT");
  frozen.child.kill("SIGTERM");
  expect((await frozen.ended).code).toBe(0);
  onePayoutEach();
  expect(gateway.payouts.size).toBe(20);
  expect(await services.owner("SELECT FROM payouts.illegal_transition")).toEqual([]);
  await eventually("the books agree", async () => (await services.audit()).length === 0, {
    withinMs: 30_000,
  });
});

test("two processes share the work; every message double, every webhook too: each is paid once", async () => {
  const second = await doomed("never");
  await services.start();
  const asked = Array.from({ length: 200 }, request);
  await services.publish(
    payoutsPayoutRequested,
    [...asked, ...asked].sort(() => Math.random() - 0.5),
  );
  await eventually("all taken", () => gateway.payouts.size === 200, { withinMs: 60_000 });
  await Promise.all(
    [...gateway.payouts.values()].flatMap((payout) => {
      payout.status = "paid";
      return [tell(payout), tell(payout)];
    }),
  );
  await eventually("all paid", async () => (await states()).every((each) => each === "EXITOSO"), {
    withinMs: 60_000,
  });
  onePayoutEach();
  second.child.kill("SIGTERM");
  expect((await second.ended).code).toBe(0);
  await eventually("the books agree", async () => (await services.audit()).length === 0);
});
