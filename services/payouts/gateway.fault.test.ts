import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { FakeGateway, WEBHOOK_SECRET } from "../../tests/harness/fake_gateway.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsEvtFailed } from "../contracts/payments_evt.js";

/** A gateway that is slow, lies, answers twice or not at all. */
let services: Services;
let gateway: FakeGateway;
beforeAll(async () => {
  gateway = await FakeGateway.start();
  services = await Services.create(
    {
      STRIPE_API_BASE: gateway.url,
      STRIPE_API_KEY: "sk_test",
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      PAYOUTS_CALL_TIMEOUT_S: "5",
      PAYOUTS_PROBE_AFTER_S: "5",
      PAYOUTS_ASK_AFTER_S: "1",
    },
    "payouts",
  );
  await services.start();
});
beforeEach(() => {
  gateway.onAsk = undefined;
});
afterAll(async () => {
  await services?.close();
  await gateway?.close();
});

const create = async (monto = "10.00") => {
  const asked = { id_afiliado: "ada", monto, moneda: "USD", referencia_pago: randomUUID() };
  return (await services.post("/pagos", asked)).body.id_pago as string;
};
const estado = async (id: string) => (await services.get(`/pagos/${id}`)).body.estado;
const settled = (id: string, as: string) =>
  eventually(`${id} is ${as}`, async () => (await estado(id)) === as, { withinMs: 60_000 });
const states = async () => {
  const rows = await services.owner<{ estado: string }>("SELECT estado FROM payouts.pago");
  return rows.map((row) => row.estado);
};
/** Its leases have run out. */
const letGo = () =>
  services.owner("UPDATE payouts.pago SET due_at = now() WHERE estado IN ('PENDIENTE', 'PROCESANDO')");
/** As often as it has to be asked about, without the time between. */
const settledAtOnce = (id: string, as: string) => {
  const ask = async () => {
    await letGo();
    return (await estado(id)) === as;
  };
  return eventually(`${id} is ${as}`, ask, { withinMs: 60_000, everyMs: 25 });
};
const onePayoutEach = () => {
  const ids = [...gateway.payouts.values()].map(({ metadata }) => metadata["id_pago"]);
  expect(new Set(ids).size).toBe(ids.length);
};

const IN_PLACE_OF_AN_ANSWER = [
  "cut",
  "silent",
  { status: 200, body: "<html>" },
  { status: 200, body: {} },
  { status: 500, body: { error: { type: "api_error", message: "x" } } },
  { status: 503, body: "<html>" },
] as const;

test("paid, and no answer that says so: it is sent again under its key, and paid once", async () => {
  gateway.onPay = ({ pay, times, amount }) => {
    const payout = pay();
    payout.status = "paid";
    const reply = IN_PLACE_OF_AN_ANSWER[amount / 100 - 1];
    // The official package sends what was cut off a second time by itself.
    return times <= 2 && reply !== undefined ? reply : { status: 200, body: payout };
  };
  const ids = await Promise.all(IN_PLACE_OF_AN_ANSWER.map((_, i) => create(`${i + 1}.00`)));
  for (const id of ids) {
    await settled(id, "EXITOSO");
    expect(gateway.of(id)).toHaveLength(1);
    expect(gateway.askedFor(id)).toBeGreaterThan(2);
  }
});

test("an answer about another Pago, or another amount, settles nothing; the truth does", async () => {
  let honest = false;
  gateway.onPay = ({ pay, times }) => {
    const payout = pay();
    const lie = times === 1 ? { metadata: { id_pago: randomUUID() } } : { amount: 1 };
    return { status: 200, body: { ...payout, ...(honest ? {} : lie), status: "paid" } };
  };
  const id = await create();
  await eventually("lied to once", () => gateway.askedFor(id) >= 2, { withinMs: 20_000 });
  expect(await estado(id)).toBe("PROCESANDO");
  await eventually("recorded", async () => {
    const rows = await services.owner("SELECT FROM payouts.illegal_transition WHERE subject_id = $1", [id]);
    return rows.length >= 1;
  });
  // Not when its lease runs out: no answer is missing.
  await eventually("to be asked about soon", async () => {
    const [pago] = await services.owner<{ soon: boolean }>(
      "SELECT due_at < now() + interval '10 s' AS soon FROM payouts.pago WHERE id_pago = $1",
      [id],
    );
    return pago?.soon;
  });
  honest = true;
  await settled(id, "EXITOSO");
});

test("a refusal that comes when another process has brought the Pago to the gateway does not make it FALLIDO", async () => {
  let refuse = () => {};
  const slept = new Promise<void>((resolve) => {
    refuse = resolve;
  });
  gateway.onPay = async ({ pay, times }) => {
    if (times > 1) {
      return { status: 200, body: pay() };
    }
    await slept;
    const error = { type: "invalid_request_error", code: "balance_insufficient" };
    return { status: 400, body: { error } };
  };
  const id = await create();
  await eventually("sent", () => gateway.askedFor(id) === 1);
  await letGo();
  const payout = await eventually("taken", () => gateway.of(id)[0]);
  const noted = async () =>
    (await services.owner("SELECT FROM payouts.pago WHERE gateway_id = $1", [payout.id])).length;
  await eventually("noted", async () => (await noted()) === 1);
  refuse();
  await eventually("recorded", async () => {
    const rows = await services.owner("SELECT FROM payouts.illegal_transition WHERE subject_id = $1", [id]);
    return rows.length === 1;
  });
  payout.status = "paid";
  await settledAtOnce(id, "EXITOSO");
});

test("one question that cannot be answered keeps no other one waiting", async () => {
  gateway.onPay = ({ pay }) => ({ status: 200, body: pay() });
  const ids = await Promise.all([create(), create(), create()]);
  const payouts = await Promise.all(ids.map((id) => eventually("taken", () => gateway.of(id)[0])));
  const [limited, odd] = payouts.map(({ id }) => `/v1/payouts/${id}`);
  gateway.onAsk = (path) => {
    if (path === limited) {
      return { status: 429, body: { error: { type: "invalid_request_error", code: "rate_limit" } } };
    }
    return path === odd ? { status: 200, body: { id: 7 } } : undefined;
  };
  for (const payout of payouts) {
    payout.status = "paid";
  }
  await settledAtOnce(ids[2] as string, "EXITOSO");
  expect(await Promise.all([estado(ids[0] as string), estado(ids[1] as string)])).toEqual([
    "PROCESANDO",
    "PROCESANDO",
  ]);
  expect((await services.get("/metrics")).body).toContain("payments_gateway_circuit_open 0");
  gateway.onAsk = undefined;
  await settledAtOnce(ids[0] as string, "EXITOSO");
  await settledAtOnce(ids[1] as string, "EXITOSO");
});

test("ended in an error: FALLIDO when the gateway has nothing of it, EXITOSO when it has", async () => {
  const failed = { error: { type: "api_error", message: "x" }, replayed: true };
  let first: string | undefined;
  gateway.onPay = ({ pay, idPago }) => {
    first ??= idPago;
    if (first === idPago) {
      pay().status = "paid";
    }
    return { status: 500, body: failed };
  };
  await settled(await create(), "EXITOSO");
  const second = await create();
  await settledAtOnce(second, "FALLIDO");
  const asks = await services.owner("SELECT FROM payouts.pago WHERE id_pago = $1 AND ended AND takes > 4", [
    second,
  ]);
  expect(asks).toHaveLength(1);
  expect((await services.get(`/pagos/${second}`)).body.motivo).toBe("gateway_error");
  expect(gateway.of(second)).toEqual([]);
});

test("errors that are only said again keep nobody else from the gateway", async () => {
  const failed = { error: { type: "api_error", message: "x" }, replayed: true };
  gateway.onPay = ({ pay, amount }) => {
    if (amount === 700) {
      return { status: 500, body: failed };
    }
    const payout = pay();
    payout.status = "paid";
    return { status: 200, body: payout };
  };
  const failing = await Promise.all(Array.from({ length: 12 }, () => create("7.00")));
  await eventually("each has failed", () => failing.every((id) => gateway.askedFor(id) > 0));
  expect((await services.get("/metrics")).body).toContain("payments_gateway_circuit_open 0");
  await settled(await create("8.00"), "EXITOSO");
  for (const id of failing) {
    await settledAtOnce(id, "FALLIDO");
  }
});

test("no answer to a question is no answer: nothing fails because the gateway cannot say", async () => {
  gateway.onPay = () => ({ status: 500, body: { error: { type: "api_error" }, replayed: true } });
  gateway.onAsk = () => ({ status: 500, body: { error: { type: "api_error" } } });
  const id = await create();
  const before = gateway.questions.length;
  await eventually("asked", () => gateway.questions.length > before, { withinMs: 20_000 });
  expect(await estado(id)).toBe("PROCESANDO");
  gateway.onAsk = undefined;
  await settledAtOnce(id, "FALLIDO");
});

test("webhooks that never come: the gateway is asked", async () => {
  gateway.onPay = ({ pay }) => ({ status: 200, body: pay() });
  const id = await create();
  const payout = await eventually("taken", () => gateway.of(id)[0]);
  payout.status = "paid";
  await settled(id, "EXITOSO");
  expect(gateway.askedFor(id)).toBe(1);
});

test("what was refused is FALLIDO with its reason, and what was too much is sent later", async () => {
  gateway.onPay = ({ pay, idPago, times }) => {
    if (times === 1) {
      return { status: 429, body: { error: { type: "invalid_request_error", code: "rate_limit" } } };
    }
    if (idPago.endsWith("0") || idPago.endsWith("8")) {
      return {
        status: 400,
        body: { error: { type: "invalid_request_error", code: "balance_insufficient" } },
      };
    }
    const payout = pay();
    payout.status = "paid";
    return { status: 200, body: payout };
  };
  const failed = await services.watch(paymentsEvtFailed);
  const ids: string[] = [];
  while (!(ids.some((id) => /[08]$/.test(id)) && ids.some((id) => /[^08]$/.test(id)))) {
    ids.push(await create());
  }
  for (const id of ids) {
    await settled(id, /[08]$/.test(id) ? "FALLIDO" : "EXITOSO");
  }
  const refused = ids.filter((id) => /[08]$/.test(id));
  await eventually("told", async () => (await failed()).length >= refused.length);
  expect((await failed()).every(({ body }) => body.motivo === "balance_insufficient")).toBe(true);
});

test("five failures in a row: it is left alone, tried once, and all goes on", async () => {
  let down = true;
  gateway.onPay = ({ pay }) => {
    if (down) {
      return { status: 503, body: { error: { type: "api_error" } } };
    }
    const payout = pay();
    payout.status = "paid";
    return { status: 200, body: payout };
  };
  for (let i = 0; i < 5; i++) {
    await create();
  }
  const metric = async () =>
    (await services.get("/metrics")).body.match(/^payments_gateway_circuit_open (\d)/m)?.[1];
  await eventually("left alone", async () => (await metric()) === "1");
  const before = gateway.asked.length;
  const waiting = await create();
  expect(await estado(waiting)).toBe("PENDIENTE");
  await letGo();
  await eventually("tried once", () => gateway.asked.length > before, { withinMs: 20_000 });
  expect(gateway.asked.length).toBe(before + 1);
  down = false;
  await letGo();
  await eventually(
    "all settled",
    async () => (await states()).every((each) => /^(EXITOSO|FALLIDO)$/.test(each)),
    {
      withinMs: 60_000,
    },
  );
  expect(await metric()).toBe("0");
  onePayoutEach();
});

test("the books agree", async () => {
  await eventually("nothing in flight", async () => (await services.audit()).length === 0, {
    withinMs: 60_000,
  });
  onePayoutEach();
});

test("a Pago that is made again after a restore is not paid again, neither under its key nor when that is forgotten", async () => {
  gateway.onPay = ({ pay }) => ({ status: 200, body: Object.assign(pay(), { status: "paid" }) });
  const lost = await create();
  await settled(lost, "EXITOSO");
  // As if the first one were of a time that a restore took away.
  const again = (hours: number) =>
    services.owner<{ id: string }>(
      `INSERT INTO payouts.pago (id_pago, id_afiliado, referencia_pago, monto, moneda, trace_id, created_at)
       SELECT ops.uuid_v7(), id_afiliado, referencia_pago, monto, moneda, trace_id, now() - make_interval(hours => $2)
       FROM payouts.pago WHERE id_pago = $1 RETURNING id_pago AS id`,
      [lost, hours],
    );
  const [[fresh], [old]] = await Promise.all([again(0), again(21)]);
  const questions = gateway.questions.length;
  await eventually("sent, and asked about", async () => {
    await letGo();
    return gateway.askedFor(fresh?.id as string) > 1 && gateway.questions.length > questions + 1;
  });
  expect(gateway.askedFor(old?.id as string)).toBe(0);
  for (const each of [fresh, old]) {
    expect(await estado(each?.id as string)).toBe("PROCESANDO");
    expect(gateway.of(each?.id as string)).toEqual([]);
  }
});
