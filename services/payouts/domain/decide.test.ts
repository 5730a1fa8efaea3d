import { describe, expect, test } from "vitest";
import { type Decision, decide, type Fact } from "./decide.js";
import type { Pago } from "./pago.js";

const pago = (more: Partial<Pago> = {}): Pago => ({
  idPago: "p",
  idAfiliado: "ada",
  referenciaPago: "r",
  monto: 1_000n,
  moneda: "USD",
  traceId: "0".repeat(32),
  createdAt: new Date(0),
  estado: "PROCESANDO",
  motivo: null,
  gatewayId: "po_1",
  devuelto: null,
  updatedAt: new Date(0),
  ...more,
});
const said = (kind: "paid" | "failed", more: object = {}): Fact => ({
  kind,
  gatewayId: "po_1",
  monto: 1_000n,
  moneda: "USD",
  motivo: "account_closed",
  ...more,
});
const refused: Fact = { kind: "refused", motivo: "balance_insufficient" };

const exitoso = pago({ estado: "EXITOSO" });
const devuelto = pago({ estado: "EXITOSO", devuelto: { motivo: "x", at: new Date(0) } });
const fallido = pago({ estado: "FALLIDO", motivo: "declined" });
const settle = (
  estado: "EXITOSO" | "FALLIDO",
  motivo: string | null,
  gatewayId: string | null,
): Decision => ({
  kind: "settle",
  estado,
  motivo,
  gatewayId,
});

describe("what a fact makes of a Pago", () => {
  test.each<readonly [string, Pago, Fact, Decision]>([
    ["paid", pago(), said("paid"), settle("EXITOSO", null, "po_1")],
    [
      "paid, of which nothing was known",
      pago({ gatewayId: null }),
      said("paid"),
      settle("EXITOSO", null, "po_1"),
    ],
    ["failed", pago(), said("failed"), settle("FALLIDO", "account_closed", "po_1")],
    ["refused", pago({ gatewayId: null }), refused, settle("FALLIDO", "balance_insufficient", null)],
    ["failed after it was paid", exitoso, said("failed"), { kind: "return", motivo: "account_closed" }],
    ["paid twice", exitoso, said("paid"), { kind: "known" }],
    ["paid, late", devuelto, said("paid"), { kind: "known" }],
    ["failed again", devuelto, said("failed"), { kind: "known" }],
    ["failed twice", fallido, said("failed"), { kind: "known" }],
    ["refused twice", fallido, refused, { kind: "known" }],
  ])("%s", (_, before, fact, decision) => {
    expect(decide(before, fact)).toEqual(decision);
  });

  test("paid after nothing was made of it is money out that nobody has booked", () => {
    expect(decide({ ...fallido, gatewayId: null }, said("paid"))).toMatchObject({ kind: "unbooked" });
  });

  test.each<readonly [string, Pago, Fact, string]>([
    [
      "paid before it was sent",
      pago({ estado: "PENDIENTE", gatewayId: null }),
      said("paid"),
      "before it was sent",
    ],
    ["paid after it failed", fallido, said("paid"), "FALLIDO"],
    ["refused after it was paid", exitoso, refused, "EXITOSO"],
    ["refused after it was taken", pago(), refused, "taken as po_1"],
    ["paid with another amount", pago(), said("paid", { monto: 999n }), "another amount"],
    ["paid in another currency", pago(), said("paid", { moneda: "EUR" }), "another amount"],
    ["failed with another amount", exitoso, said("failed", { monto: 1n }), "another amount"],
    ["paid a second time", pago(), said("paid", { gatewayId: "po_2" }), "po_2, but it is po_1"],
    ["a second payout came back", exitoso, said("failed", { gatewayId: "po_2" }), "po_2, but it is po_1"],
  ])("%s is illegal", (_, before, fact, reason) => {
    expect(decide(before, fact)).toEqual({ kind: "illegal", reason: expect.stringContaining(reason) });
  });
});
