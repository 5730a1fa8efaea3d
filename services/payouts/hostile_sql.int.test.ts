import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { refusal } from "../../tests/harness/refusal.js";
import { testSettings } from "../../tests/harness/settings.js";
import type { Fact } from "./domain/decide.js";
import type { Pago } from "./domain/pago.js";
import { pendingEvent, settledEvent } from "./events.js";
import { react } from "./react.js";
import { enterPagos, type NewOrden } from "./store/new_pago.js";
import { findPago } from "./store/pago.js";
import { notePagos, takePagos } from "./store/sending.js";
import { applyTransitions } from "./store/transition.js";

/** What must not be is refused by PostgreSQL itself: to the service's role, and where that has no say, to the owner too. */
let database: string;
let service: Pool;
const [pendiente, procesando, exitoso, fallido, devuelto] = [newId(), newId(), newId(), newId(), newId()];

const orden = (idPago: string): NewOrden => ({
  idPago,
  idAfiliado: "mallory",
  referenciaPago: idPago,
  monto: 1_000n,
  moneda: "USD",
  traceId: "0123456789abcdef".repeat(2),
  createdAt: new Date(),
});
const said = (kind: "paid" | "failed", idPago: string): Fact => ({
  kind,
  gatewayId: `po_${idPago}`,
  monto: 1_000n,
  moneda: "USD",
  motivo: "account_closed",
});
const tell = (idPago: string, fact: Fact) =>
  react(service, [{ idPago, messageId: newId(), event: "test", fact }]);

beforeAll(async () => {
  database = await createDatabase("migrated");
  const of = { role: "payments_payouts", schema: "payouts", max: 2, applicationName: "hostile" };
  service = createServicePool(testSettings({ POSTGRES_DB: database }), of);
  const enter = (ids: readonly string[]) =>
    enterPagos(
      service,
      ids.map(orden).map((each) => ({ orden: each, event: pendingEvent(each) })),
    );
  await enter([procesando, exitoso, fallido, devuelto]);
  expect(await takePagos(service, { limit: 10, leaseS: 60 })).toHaveLength(4);
  await enter([pendiente]);
  await notePagos(service, [{ idPago: procesando, gatewayId: `po_${procesando}`, ended: true, waitS: 60 }]);
  await tell(exitoso, said("paid", exitoso));
  await tell(fallido, said("failed", fallido));
  await tell(devuelto, said("paid", devuelto));
  await tell(devuelto, said("failed", devuelto));
  await service.query("DELETE FROM payouts.outbox");
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

const set = (what: string, id: string) => `UPDATE payouts.pago SET ${what} WHERE id_pago = '${id}'`;
const pay = (id: string, monto = 1_000, moneda = "USD") =>
  `INSERT INTO payouts.paid (id_pago, gateway_id, monto, moneda) VALUES ('${id}', 'po_${id}', ${monto}, '${moneda}')`;
const insert = (columns: string, values: string) =>
  `INSERT INTO payouts.pago (id_pago, id_afiliado, trace_id, ${columns}) VALUES (gen_random_uuid(), 'x', gen_random_uuid(), ${values})`;
const REFUSED = ["42501", "23001"];
const CHECKED = ["23514", "23001"];

describe.each(["the service", "the owner"])("%s cannot", (who) => {
  const as = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
    who === "the service"
      ? work(service)
      : withPool({ role: "admin", database }, async (pool) => {
          await pool.query("SET ROLE payments_owner");
          return work(pool);
        });

  test.each<readonly [string, string, readonly string[]]>([
    ["pay what was not sent", set("estado = 'EXITOSO'", pendiente), CHECKED],
    ["fail what was not sent", set("estado = 'FALLIDO', motivo = 'x'", pendiente), CHECKED],
    ["send without a key", set("estado = 'PROCESANDO'", pendiente), CHECKED],
    [
      "take a Pago back",
      set("estado = 'PENDIENTE', gateway_key = NULL, sent_at = NULL, gateway_id = NULL", procesando),
      REFUSED,
    ],
    ["pay what failed", set("estado = 'EXITOSO', motivo = NULL", fallido), REFUSED],
    ["send again what failed", set("estado = 'PROCESANDO', motivo = NULL", fallido), REFUSED],
    ["fail what was paid", set("estado = 'FALLIDO', motivo = 'x'", exitoso), REFUSED],
    ["send again what was paid", set("estado = 'PROCESANDO'", exitoso), REFUSED],
    ["touch what is settled", set("due_at = now()", exitoso), REFUSED],
    ["fail without a reason", set("estado = 'FALLIDO'", procesando), CHECKED],
    ["change why it failed", set("motivo = 'other'", fallido), REFUSED],
    ["send under another key", set("gateway_key = 'other'", procesando), REFUSED],
    ["forget when it was sent", set("sent_at = now() + interval '1 day'", procesando), REFUSED],
    ["take it for another payout", set("gateway_id = 'po_other'", procesando), REFUSED],
    ["forget that its key has ended", set("ended = false", procesando), REFUSED],
    ["change a monto", set("monto = 1", pendiente), REFUSED],
    ["change a moneda", set("moneda = 'EUR'", pendiente), REFUSED],
    ["change an afiliado", set("id_afiliado = 'eve'", pendiente), REFUSED],
    [
      "change a monto by its partition",
      set("monto = 1", pendiente).replace("payouts.pago", "payouts.pago_default"),
      REFUSED,
    ],
    ["forget a Pago", `DELETE FROM payouts.pago WHERE id_pago = '${pendiente}'`, REFUSED],
    ["forget all Pagos", "TRUNCATE payouts.pago CASCADE", REFUSED],
    [
      "use a reference twice",
      `INSERT INTO payouts.reference VALUES ('mallory', '${pendiente}', gen_random_uuid())`,
      ["23505"],
    ],
    ["give a reference away", "UPDATE payouts.reference SET id_afiliado = 'eve'", REFUSED],
    ["forget a reference", "DELETE FROM payouts.reference", REFUSED],
    ["pay twice", pay(exitoso), ["23505"]],
    ["pay what failed, in money", pay(fallido), ["23001"]],
    ["pay what is open, in money", pay(procesando), ["23001"]],
    ["pay another amount", pay(procesando, 1), ["23503"]],
    ["pay another currency", pay(procesando, 1_000, "EUR"), ["23503"]],
    ["pay for nothing", pay(newId()), ["23503"]],
    ["change what was paid", "UPDATE payouts.paid SET monto = 1", REFUSED],
    ["forget what was paid", "DELETE FROM payouts.paid", REFUSED],
    ["take back what was not paid", `INSERT INTO payouts.returned VALUES ('${fallido}', 'x')`, ["23503"]],
    ["take back twice", `INSERT INTO payouts.returned VALUES ('${devuelto}', 'x')`, ["23505"]],
    ["forget what came back", "DELETE FROM payouts.returned", REFUSED],
    ["pay nothing", insert("monto, moneda", "0, 'USD'"), ["23514"]],
    ["pay less than nothing", insert("monto, moneda", "-1, 'USD'"), ["23514"]],
    ["pay more than a gateway can say", insert("monto, moneda", "1000000000000001, 'USD'"), ["23514"]],
    ["pay in a currency that is none of ours", insert("monto, moneda", "1, 'GBP'"), ["23514"]],
    ["be in a state that there is not", insert("monto, moneda, estado", "1, 'USD', 'DEVUELTO'"), ["23514"]],
    ["be EXITOSO from the beginning", insert("monto, moneda, estado", "1, 'USD', 'EXITOSO'"), ["23514"]],
  ])("%s", async (_, sql, states) => {
    expect(states).toContain(await as((pool) => refusal(pool, sql)));
  });
});

test("no Pago is in two hands: of 40 that take at once each gets others", async () => {
  const ids = Array.from({ length: 200 }, newId);
  const entries = ids.map(orden).map((each) => ({ orden: each, event: pendingEvent(each) }));
  await enterPagos(service, entries);
  const crowd = createServicePool(testSettings({ POSTGRES_DB: database }), {
    role: "payments_payouts",
    schema: "payouts",
    max: 10,
    applicationName: "crowd",
  });
  try {
    const taken = await Promise.all(
      Array.from({ length: 40 }, () => takePagos(crowd, { limit: 10, leaseS: 60 })),
    );
    const got = taken.flat().map(({ idPago }) => idPago);
    expect(new Set(got).size).toBe(got.length);
    expect(ids.every((id) => got.includes(id))).toBe(true);
  } finally {
    await crowd.end();
    await service.query("DELETE FROM payouts.outbox");
  }
});

test.each([
  ["make a change legal", "INSERT INTO payouts.transition VALUES ('FALLIDO', 'EXITOSO')"],
  ["count what it did not send", "UPDATE payouts.outbox_total SET sent = sent + 1"],
])("the service cannot %s", async (_, sql) => {
  expect(await refusal(service, sql)).toBe("42501");
});

/** As a superuser may: triggers and checks off. */
test.each([
  ["a monto that was paid", set("monto = 2000", exitoso)],
  ["a monto of the money", `UPDATE payouts.paid SET monto = 2000 WHERE id_pago = '${exitoso}'`],
  ["a payout", set("gateway_id = 'po_x'", exitoso)],
  ["a state", set("estado = 'FALLIDO', motivo = 'x'", exitoso)],
  ["a state, the other way", set("estado = 'EXITOSO', motivo = NULL", fallido)],
  ["a reason", set("motivo = NULL", fallido)],
  ["a key", set("gateway_key = NULL", exitoso)],
  ["money that is gone", `DELETE FROM payouts.paid WHERE id_pago = '${exitoso}'`],
  ["money that came back and is gone", `DELETE FROM payouts.paid WHERE id_pago = '${devuelto}'`],
  ["a Pago that is gone", `DELETE FROM payouts.pago WHERE id_pago = '${exitoso}'`],
  ["a reference", `UPDATE payouts.reference SET referencia_pago = 'x' WHERE id_pago = '${exitoso}'`],
  ["a reference that is gone", `DELETE FROM payouts.reference WHERE id_pago = '${exitoso}'`],
  ["an afiliado", set("id_afiliado = 'eve'", exitoso)],
])("the audit names %s that was changed by hand", async (_, sql) => {
  await withPool({ role: "admin", database }, async (pool) => {
    const client = await pool.connect();
    try {
      await client.query("SET ROLE payments_owner; BEGIN");
      const { rows } = await client.query<{ sql: string }>(
        `SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname) AS sql
         FROM pg_constraint
         WHERE connamespace = 'payouts'::regnamespace AND contype IN ('c', 'f') AND coninhcount = 0 AND conparentid = 0`,
      );
      await client.query(rows.map((row) => row.sql).join("; "));
      for (const table of ["pago", "reference", "paid", "returned"]) {
        await client.query(`ALTER TABLE payouts.${table} DISABLE TRIGGER USER`);
      }
      const audit = async () =>
        (await client.query("SELECT FROM payouts.audit_difference WHERE expected <> 'settled by now'"))
          .rowCount ?? 0;
      expect(await audit()).toBe(0);
      expect((await client.query(sql)).rowCount).toBeGreaterThan(0);
      expect(await audit()).toBeGreaterThan(0);
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });
});

test("a refusal that was decided on before the gateway took the Pago changes nothing", async () => {
  const pago = await findPago(service, procesando as string);
  const stale = { ...(pago as Pago), gatewayId: null };
  const settled = {
    estado: "FALLIDO",
    gatewayId: null,
    motivo: "balance_insufficient",
    at: new Date(),
  } as const;
  expect(
    await applyTransitions(service, [{ pago: stale, ...settled, event: settledEvent(stale, settled) }]),
  ).toEqual(new Set());
  expect((await findPago(service, procesando as string))?.estado).toBe("PROCESANDO");
});
