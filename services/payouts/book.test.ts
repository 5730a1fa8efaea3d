import { describe, expect, test } from "vitest";
import { type BookEntry, compare } from "./book.js";
import type { AuditedPago } from "./store/audit.js";

const ours = (more: Partial<AuditedPago> = {}): AuditedPago => ({
  idPago: "p",
  estado: "EXITOSO",
  gatewayId: "po_1",
  monto: 1_000n,
  moneda: "USD",
  returned: false,
  changedAt: new Date(0),
  ...more,
});
const theirs = (more: Partial<BookEntry> = {}): BookEntry => ({
  id_pago: "p",
  id: "po_1",
  amount: 1_000,
  currency: "usd",
  status: "paid",
  changed_at: new Date(0),
  ...more,
});
const unsent = ours({ estado: "PENDIENTE", gatewayId: null });
const refused = ours({ estado: "FALLIDO", gatewayId: null });

describe("both books agree", () => {
  test.each<readonly [string, AuditedPago, readonly BookEntry[]]>([
    ["on what was paid", ours(), [theirs()]],
    ["on what came back", ours({ returned: true }), [theirs({ status: "failed" })]],
    ["on what failed", ours({ estado: "FALLIDO" }), [theirs({ status: "failed" })]],
    ["on what was canceled", ours({ estado: "FALLIDO" }), [theirs({ status: "canceled" })]],
    ["on what is open", ours({ estado: "PROCESANDO" }), [theirs({ status: "pending" })]],
    ["on what was refused", refused, []],
    ["on what was never sent", unsent, []],
  ])("%s", (_, own, entries) => {
    expect(compare(own, entries)).toBeUndefined();
  });
});

describe("a difference is", () => {
  test.each<readonly [string, AuditedPago | undefined, readonly BookEntry[]]>([
    ["a payout of nobody", undefined, [theirs()]],
    ["two payouts of one Pago", ours(), [theirs(), theirs({ id: "po_2" })]],
    ["one that is paid here and not there", ours(), []],
    ["one that was taken and is gone", ours({ estado: "PROCESANDO" }), []],
    ["one that is paid there and open here", ours({ estado: "PROCESANDO" }), [theirs()]],
    ["one that is paid there and failed here", ours({ estado: "FALLIDO" }), [theirs()]],
    ["one that is paid there and was never sent", unsent, [theirs()]],
    ["one that came back there only", ours(), [theirs({ status: "failed" })]],
    ["one that came back here only", ours({ returned: true }), [theirs()]],
    ["another amount", ours(), [theirs({ amount: 999 })]],
    ["another currency", ours(), [theirs({ currency: "eur" })]],
    ["another payout", ours(), [theirs({ id: "po_2" })]],
  ])("%s", (_, own, entries) => {
    expect(compare(own, entries)).toMatchObject({ what: "Pago p" });
  });
});
