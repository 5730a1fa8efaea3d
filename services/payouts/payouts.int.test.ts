import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { FakeGateway, WEBHOOK_SECRET, webhook } from "../../tests/harness/fake_gateway.js";
import { type Seen, Services } from "../../tests/harness/service.js";
import { paymentsEvtCompleted, paymentsEvtPending, paymentsEvtReturned } from "../contracts/payments_evt.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";

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
    },
    "payouts",
  );
  await services.start();
});
afterAll(async () => {
  await services?.close();
  await gateway?.close();
});

const orden = (more: object = {}) => ({
  id_afiliado: `afiliado-${randomUUID()}`,
  monto: 100.5,
  moneda: "USD",
  referencia_pago: randomUUID(),
  ...more,
});
const post = (body: object, key?: string) =>
  services.request("POST", "/pagos/", body, key === undefined ? {} : { "idempotency-key": key });
const get = async (id: string) => (await services.get(`/pagos/${id}`)).body;
const list = async (afiliado: string, more = "") =>
  (await services.get(`/pagos?id_afiliado=${afiliado}${more}`)).body;
const become = (id: string, estado: string) =>
  eventually(`${id} is ${estado}`, async () => {
    const pago = await get(id);
    return pago.estado === estado && pago;
  });
const tell = (payout: Parameters<typeof webhook>[0], options?: Parameters<typeof webhook>[1]) => {
  const { body, headers } = webhook(payout, options);
  return services.request("POST", "/pagos/webhooks/stripe", body, headers);
};

const repeats = ({ message }: Seen<unknown>) => Number(message.properties.headers?.["x-repeat"] === true);

/** A Pago that the gateway has taken. */
async function taken(more: object = {}) {
  const { id_pago: id } = (await post(orden(more))).body;
  const payout = await eventually("taken", () => gateway.of(id)[0]);
  return { id, payout };
}

describe("POST /pagos", () => {
  test("makes a Pago, announces it, sends it, and it is EXITOSO when the gateway says so", async () => {
    const pending = await services.watch(paymentsEvtPending);
    const completed = await services.watch(paymentsEvtCompleted);
    const asked = orden();
    const { status, body, headers } = await post(asked);
    expect(status).toBe(202);
    expect(body).toEqual({ id_pago: expect.stringMatching(/^[0-9a-f-]{14}7/), estado: "PENDIENTE" });
    expect(headers.get("location")).toBe(`/pagos/${body.id_pago}`);
    const payout = await eventually("sent", () => gateway.of(body.id_pago)[0]);
    expect(payout).toMatchObject({ amount: 10_050, currency: "usd", metadata: { id_pago: body.id_pago } });
    expect(await become(body.id_pago, "PROCESANDO")).toMatchObject({
      ...asked,
      monto: "100.50",
      motivo: null,
      devuelto: null,
    });
    expect((await tell({ ...payout, status: "paid" })).status).toBe(200);
    expect(await get(body.id_pago)).toMatchObject({ estado: "EXITOSO" });
    const [first] = await eventually("announced", async () => {
      const seen = await pending();
      return seen.length > 0 && seen;
    });
    expect(first?.body).toMatchObject({ ...asked, monto: "100.50", estado: "PENDIENTE", version: 1 });
    const [last] = await eventually("completed", async () => {
      const seen = await completed();
      return seen.length > 0 && seen;
    });
    expect(last?.body).toMatchObject({ id_pago: body.id_pago, estado: "EXITOSO", version: 3 });
  });

  test("gives a reference one Pago; another one under it is refused", async () => {
    const asked = orden();
    const first = await post(asked);
    const again = await post({ ...asked, monto: "100.50" }, "another-key");
    expect(again.body.id_pago).toBe(first.body.id_pago);
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([202, "true"]);
    for (const other of [{ monto: 100.51 }, { moneda: "EUR" }]) {
      expect(await post({ ...asked, ...other })).toMatchObject({
        status: 409,
        body: { code: "PAGO_REFERENCE_USED", errors: [{ pointer: "#/referencia_pago" }] },
      });
    }
    expect((await post({ ...asked, id_afiliado: "other" })).body.id_pago).not.toBe(first.body.id_pago);
    expect((await list(asked.id_afiliado)).items).toHaveLength(1);
  });

  test("gives a key its answer again; another body under it is refused", async () => {
    const asked = orden();
    const first = await post(asked, "k-1");
    const again = await post(asked, "k-1");
    expect(again).toMatchObject({ status: 202, body: first.body });
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await post({ ...asked, referencia_pago: "other" }, "k-1")).toMatchObject({
      status: 422,
      body: { code: "IDEMPOTENCY_MISMATCH" },
    });
    expect((await list(asked.id_afiliado)).items).toHaveLength(1);
    expect(await eventually("sent", () => gateway.of(first.body.id_pago)[0])).toBeDefined();
  });

  test.each([
    ["without a key", () => undefined],
    ["with one key", () => "race"],
    ["with a key each", () => randomUUID()],
  ])("is raced for by 60 callers %s: one Pago, one payout", async (_, key) => {
    const asked = orden();
    const answers = await Promise.all(Array.from({ length: 60 }, () => post(asked, key())));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id_pago}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("idempotent-replayed") === null)).toHaveLength(1);
    const [{ body }] = answers as [(typeof answers)[number]];
    await become(body.id_pago, "PROCESANDO");
    await eventually("sent", () => gateway.of(body.id_pago).length > 0);
    expect(gateway.of(body.id_pago)).toHaveLength(1);
    expect((await list(asked.id_afiliado)).items).toHaveLength(1);
  });

  test("of many kinds at once fails nobody for another's fault", async () => {
    const used = orden();
    await post(used);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        [
          () => post(orden()),
          () => post(orden({ monto: -1 })),
          () => post({ ...used, monto: 7 }),
          () => post(used),
        ][i % 4]?.(),
      ),
    );
    expect(answers.map((answer) => answer?.status)).toEqual(
      Array.from({ length: 10 }, () => [202, 422, 409, 202]).flat(),
    );
  });
});

describe("bad input is refused with a problem, and makes no Pago", () => {
  const json = (fields: string) => `{"id_afiliado": "bad", "referencia_pago": "r", ${fields}}`;
  test.each<readonly [string, number, string]>([
    [json('"moneda": "USD", "monto": -1'), 422, "AMOUNT_INVALID"],
    [json('"moneda": "USD", "monto": 0'), 422, "AMOUNT_INVALID"],
    [json('"moneda": "USD", "monto": 1.001'), 422, "AMOUNT_INVALID"],
    [json('"moneda": "COP", "monto": "1.001"'), 422, "AMOUNT_INVALID"],
    [json('"moneda": "USD", "monto": 1e3'), 422, "AMOUNT_INVALID"],
    [json('"moneda": "USD", "monto": "10,00"'), 422, "AMOUNT_INVALID"],
    [json('"moneda": "USD", "monto": "NaN"'), 422, "AMOUNT_INVALID"],
    [json('"moneda": "USD", "monto": 10000000000000.01'), 422, "AMOUNT_INVALID"],
    [json('"moneda": "USD", "monto": 99999999999999999999'), 422, "AMOUNT_INVALID"],
    [json('"moneda": "USD", "monto": NaN'), 400, "MESSAGE_MALFORMED"],
    [json('"moneda": "USD", "monto": null'), 400, "REQUEST_INVALID"],
    [json('"moneda": "USD", "monto": 1, "more": 1'), 400, "REQUEST_INVALID"],
    [json('"moneda": "usd", "monto": 1'), 400, "REQUEST_INVALID"],
    [json('"moneda": "GBP", "monto": 1'), 422, "MONEDA_REFUSED"],
    [json('"moneda": "XYZ", "monto": 1'), 422, "MONEDA_REFUSED"],
    [json('"monto": 1'), 400, "REQUEST_INVALID"],
    ['{"id_afiliado": "bad", "monto": 1, "moneda": "USD"}', 400, "REQUEST_INVALID"],
    ['{"id_afiliado": "", "monto": 1, "moneda": "USD", "referencia_pago": "r"}', 400, "REQUEST_INVALID"],
    [
      `{"id_afiliado": "bad", "monto": 1, "moneda": "USD", "referencia_pago": "${"x".repeat(256)}"}`,
      400,
      "REQUEST_INVALID",
    ],
    [json('"moneda": "USD", "monto": 1, "card_number": "4111111111111111"'), 422, "CARD_DATA_REFUSED"],
    ["[]", 400, "REQUEST_INVALID"],
    ["", 400, "MESSAGE_MALFORMED"],
    ['{"monto": ', 400, "MESSAGE_MALFORMED"],
  ])("%s is %i %s", async (body, status, code) => {
    expect(await services.request("POST", "/pagos", body)).toMatchObject({
      status,
      body: { code, trace_id: expect.any(String), retryable: false },
    });
    expect((await list("bad")).items).toEqual([]);
  });

  test("points at what is wrong", async () => {
    const pointers = async (more: object) =>
      (await post(orden(more))).body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(await pointers({ monto: "1.001" })).toEqual(["#/monto"]);
    expect(await pointers({ moneda: "GBP" })).toEqual(["#/moneda"]);
    expect(await pointers({ moneda: "x", id_afiliado: "" })).toEqual(["#/id_afiliado", "#/moneda"]);
  });
});

describe("GET", () => {
  test("/pagos gives an afiliado's, newest first, by pages and by state", async () => {
    const { id_afiliado } = orden();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.unshift((await post(orden({ id_afiliado }))).body.id_pago);
    }
    const first = await list(id_afiliado, "&limit=2");
    const second = await list(id_afiliado, `&limit=2&cursor=${first.next}`);
    const third = await list(id_afiliado, `&limit=2&cursor=${second.next}`);
    expect(
      [first, second, third].flatMap(({ items }) => items.map((each: { id_pago: string }) => each.id_pago)),
    ).toEqual(ids);
    expect([first.has_more, third.has_more, third.next]).toEqual([true, false, null]);
    expect((await list(id_afiliado, "&estado=EXITOSO")).items).toHaveLength(0);
    expect((await services.get("/pagos")).status).toBe(400);
    expect((await services.get(`/pagos?id_afiliado=x&cursor=abc`)).status).toBe(400);
  });

  test("/pagos/:id_pago answers with and without a slash; an unknown one is 404", async () => {
    const { id } = await taken();
    expect((await services.get(`/pagos/${id}/`)).status).toBe(200);
    expect(await services.get(`/pagos/${newId()}`)).toMatchObject({
      status: 404,
      body: { code: "PAGO_NOT_FOUND" },
    });
    expect((await services.get("/pagos/1")).status).toBe(400);
  });

  test("/pagos/outbox/estadisticas counts what was sent, also after it has left the outbox", async () => {
    const statistics = async () => (await services.get("/pagos/outbox/estadisticas/")).body;
    await eventually("all sent", async () => (await statistics()).pending === 0);
    const before = await statistics();
    await Promise.all(Array.from({ length: 20 }, () => post(orden())));
    await eventually("sent", async () => (await statistics()).sent >= before.sent + 20);
    // One that nobody sends, because somebody says that he will; and one that was left behind.
    await services.owner(`
      INSERT INTO payouts.outbox (message_id, event, headers, body, entered_at, claimed_until) VALUES
        (gen_random_uuid(), 'test.claimed', '{}', '{}', now() - interval '90 s', now() + interval '1 h')`);
    await services.owner(`
      INSERT INTO payouts.outbox (message_id, event, headers, body, entered_at) VALUES
        (gen_random_uuid(), 'payments.evt.pending', '{}', '{}', now() - interval '10 s')`);
    const now = await eventually("tried again", async () => {
      const each = await statistics();
      return each.types["payments.evt.pending"].retries > 0 && each.pending === 1 && each;
    });
    const pending = now.types["payments.evt.pending"];
    expect([pending.failed, pending.retries, pending.pending]).toEqual([1, 1, 0]);
    expect(now.types["test.claimed"]).toMatchObject({ pending: 1, sent: 0, failed: 0, retries: 0 });
    expect(now.oldest_pending_seconds).toBeGreaterThan(89);
    expect(Date.parse(now.oldest)).toBeLessThan(Date.now() - 80_000);
    const sum = Object.values(now.types as Record<string, { sent: number }>).reduce(
      (n, { sent }) => n + sent,
      0,
    );
    expect(now.sent).toBe(sum);
    await services.owner("DELETE FROM payouts.outbox WHERE event = 'test.claimed'");
  });
});

describe("POST /pagos/webhooks/stripe", () => {
  test("that come late, double and in disorder change nothing twice", async () => {
    const completed = await services.watch(paymentsEvtCompleted);
    const returned = await services.watch(paymentsEvtReturned);
    const { id, payout } = await taken();
    const paid = { ...payout, status: "paid" };
    const failed = { ...payout, status: "failed", failure_code: "account_closed" };
    const told = [paid, paid, paid, payout, failed, failed, paid, { ...payout, status: "pending" }];
    for (const each of told) {
      expect((await tell(each)).status).toBe(200);
    }
    expect(await get(id)).toMatchObject({
      estado: "EXITOSO",
      devuelto: { motivo: "account_closed", at: expect.any(String) },
    });
    await eventually("returned", async () => (await returned()).length > 0);
    expect((await returned()).map(({ body }) => [body.estado, body.version, body.motivo])).toEqual([
      ["EXITOSO", 4, "account_closed"],
    ]);
    expect(await completed()).toHaveLength(1);
  });

  test("60 at once of one Pago settle it once", async () => {
    const { id, payout } = await taken();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        tell({ ...payout, status: i % 2 === 0 ? "paid" : "failed" }, { id: `evt_race_${id}_${i}` }),
      ),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const paid = await services.owner("SELECT FROM payouts.paid WHERE id_pago = $1", [id]);
    const { estado } = await get(id);
    expect(paid).toHaveLength(estado === "EXITOSO" ? 1 : 0);
  });

  test("about what cannot be are recorded and not applied", async () => {
    const { id, payout } = await taken();
    const lies = [
      { ...payout, status: "paid", amount: payout.amount + 1 },
      { ...payout, status: "paid", currency: "eur" },
      { ...payout, status: "paid", id: "po_other" },
    ];
    await eventually("noted", async () => {
      const [row] = await services.owner<{ gateway_id: string }>(
        "SELECT gateway_id FROM payouts.pago WHERE id_pago = $1",
        [id],
      );
      return row?.gateway_id !== null;
    });
    for (const [i, lie] of lies.entries()) {
      expect((await tell(lie, { id: `evt_lie_${id}_${i}` })).status).toBe(200);
    }
    const stranger = newId();
    expect((await tell({ ...payout, status: "paid", metadata: { id_pago: stranger } })).status).toBe(200);
    expect((await tell({ ...payout, status: "paid", metadata: {} }, { id: "evt_nobody" })).status).toBe(200);
    expect(await get(id)).toMatchObject({ estado: "PROCESANDO" });
    const rows = await services.owner<{ reason: string }>(
      "SELECT reason FROM payouts.illegal_transition WHERE subject_id = ANY ($1::uuid[]) ORDER BY recorded_at",
      [[id, stranger]],
    );
    expect(rows.map(({ reason }) => reason)).toEqual([
      "paid with another amount",
      "paid with another amount",
      expect.stringContaining("paid as po_other"),
      expect.stringContaining("no such Pago"),
    ]);
  });

  test("that give two Pagos one payout settle one of them, and keep no neighbour waiting", async () => {
    const [one, two, three] = await Promise.all([taken(), taken(), taken()]);
    const paid = { ...one.payout, status: "paid" };
    expect((await tell(paid)).status).toBe(200);
    // Nobody has heard yet which payout it is.
    const { onPay } = gateway;
    gateway.onPay = () => "silent";
    const four = (await post(orden())).body.id_pago as string;
    await eventually("sent", () => gateway.askedFor(four) > 0);
    gateway.onPay = onPay;
    const answers = await Promise.all([
      tell({ ...paid, metadata: { id_pago: four } }, { id: `evt_stolen_${four}` }),
      tell({ ...two.payout, status: "paid" }),
      tell({ ...three.payout, status: "paid" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await Promise.all([one, two, three].map(async ({ id }) => (await get(id)).estado))).toEqual(
      Array(3).fill("EXITOSO"),
    );
    expect((await get(four)).estado).toBe("PROCESANDO");
    const rows = await services.owner<{ reason: string }>(
      "SELECT reason FROM payouts.illegal_transition WHERE subject_id = $1",
      [four],
    );
    expect(rows).toEqual([{ reason: "paid as another Pago's payout" }]);
  });

  test("that make no sense are taken and ignored, and keep no neighbour waiting", async () => {
    const { id, payout } = await taken();
    const odd = [
      { amount: 1.5 },
      { id: "po_\0" },
      { id: 7 },
      { metadata: { id_pago: [id] } },
      { metadata: 7 },
    ];
    const answers = await Promise.all([
      ...odd.map((more) => tell({ ...payout, status: "paid", ...more } as never, { id: `evt_${newId()}` })),
      tell(null as never, { id: "evt_null", type: "payout.paid" }),
      tell({ ...payout, status: "paid" }, { id: "evt_\0", type: "payout.paid" }),
      tell({ ...payout, status: "failed", failure_code: "no_\0account" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await get(id)).toMatchObject({ estado: "FALLIDO", motivo: "no_account" });
  });

  test("are taken for what Stripe signed, and not for anything else", async () => {
    const { id, payout } = await taken();
    const paid = { ...payout, status: "paid" };
    const { body, headers } = webhook(paid);
    const now = Math.floor(Date.now() / 1_000);
    const refused: readonly (readonly [string, string, Record<string, string>])[] = [
      ["no signature", body, {}],
      ["a malformed one", body, { "stripe-signature": "t=1" }],
      ["an empty one", body, { "stripe-signature": "" }],
      ["another secret's", body, webhook(paid, { secret: "whsec_other" }).headers],
      ["one of five minutes ago", body, webhook(paid, { atS: now - 301 }).headers],
      ["another body's", body.replace("paid", "failed"), headers],
      ["the same in other bytes", body.replace(":", ": "), headers],
    ];
    for (const [what, sent, signature] of refused) {
      const answer = await services.request("POST", "/pagos/webhooks/stripe", sent, signature);
      expect([what, answer.status, answer.body.code]).toEqual([what, 400, "WEBHOOK_SIGNATURE_INVALID"]);
    }
    expect(await get(id)).toMatchObject({ estado: "PROCESANDO" });
    expect((await services.request("POST", "/pagos/webhooks/stripe", body, headers)).status).toBe(200);
    // The same again, within its time, is a repetition.
    expect((await services.request("POST", "/pagos/webhooks/stripe", body, headers)).status).toBe(200);
    expect(await get(id)).toMatchObject({ estado: "EXITOSO" });
  });
});

describe("payouts.payout.requested", () => {
  const requested = (more: object = {}) => ({
    id_afiliado: `afiliado-${randomUUID()}`,
    monto: "7.00",
    moneda: "EUR" as const,
    referencia_pago: `conversion:partner:${randomUUID()}`,
    ...more,
  });

  test("makes a Pago once, however often and by whatever door it comes", async () => {
    const asked = requested();
    const pending = await services.watch(paymentsEvtPending);
    await services.publish(payoutsPayoutRequested, [asked, asked, asked]);
    await services.publish(payoutsPayoutRequested, [asked], newId());
    const [pago] = await eventually("made", async () => {
      const { items } = await list(asked.id_afiliado);
      return items.length > 0 && items;
    });
    const { body } = await post(asked);
    expect(body.id_pago).toBe(pago.id_pago);
    expect(pago).toMatchObject({ monto: "7.00", moneda: "EUR", referencia_pago: asked.referencia_pago });
    const firsts = async () => (await pending()).filter((each) => repeats(each) === 0);
    await eventually("announced", async () => (await firsts()).length > 0);
    expect(await firsts()).toHaveLength(1);
    expect((await list(asked.id_afiliado)).items).toHaveLength(1);
  });

  test("of a reference that has a Pago is answered with what was told of it last, word for word", async () => {
    const completed = await services.watch(paymentsEvtCompleted);
    const pending = await services.watch(paymentsEvtPending);
    const asked = requested();
    const { payout } = await taken(asked);
    await services.publish(payoutsPayoutRequested, [asked]);
    await eventually("accepted, told twice", async () => (await pending()).length === 2);
    await tell({ ...payout, status: "paid" });
    await services.publish(payoutsPayoutRequested, [asked, { ...asked, monto: "8.00" }]);
    const told = await eventually("completed, told three times", async () => {
      const seen = await completed();
      return seen.length === 3 && seen;
    });
    const [first, ...again] = told.sort((a, b) => repeats(a) - repeats(b));
    expect(again.map(repeats)).toEqual([1, 1]);
    for (const each of again) {
      expect(each.body).toEqual(first?.body);
      expect(each.message.properties.messageId).toBe(first?.message.properties.messageId);
    }
    const [early, late] = await pending();
    expect(late?.body).toEqual(early?.body);
  });

  test("of another Pago under a used reference is recorded, one that makes no sense is a dead letter", async () => {
    const asked = requested();
    await services.publish(payoutsPayoutRequested, [asked]);
    const [pago] = await eventually("made", async () => {
      const { items } = await list(asked.id_afiliado);
      return items.length > 0 && items;
    });
    const good = requested();
    await services.publish(payoutsPayoutRequested, [
      { ...asked, monto: "8.00" },
      requested({ monto: "0.001" }),
      requested({ moneda: "GBP" }),
      good,
    ]);
    await eventually("the good one is made", async () => (await list(good.id_afiliado)).items.length === 1);
    const rows = await eventually("recorded", async () => {
      const found = await services.owner<{ event: string; reason: string }>(
        "SELECT event, reason FROM payouts.illegal_transition WHERE subject_id = $1",
        [pago.id_pago],
      );
      return found.length > 0 && found;
    });
    expect(rows).toEqual([
      { event: "payouts.payout.requested", reason: "another Pago under the same referencia_pago" },
    ]);
    expect(await get(pago.id_pago)).toMatchObject({ monto: "7.00" });
    const letters: unknown[] = [];
    await eventually("two dead letters", async () => {
      letters.push(...(await drain(services.settings, "payouts.dlq")));
      return letters.length >= 2;
    });
    expect(letters).toHaveLength(2);
  });
});

test("the books agree: what nobody settled is in flight", async () => {
  await eventually(
    "all sent",
    async () => (await services.get("/pagos/outbox/estadisticas")).body.pending === 0,
  );
  const differences = (await services.audit()).filter(({ expected }) => expected !== "settled by now");
  expect(differences).toEqual([]);
});
