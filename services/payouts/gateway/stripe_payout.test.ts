import type Stripe from "stripe";
import { expect, test } from "vitest";
import { minorDigitsOf } from "../../../lib/domain/money.js";
import { moneda } from "../../contracts/fields.js";
import { currencyOf, payoutOf } from "./stripe_payout.js";

const payout = (more: object) =>
  ({
    id: "po_1",
    amount: 1_000,
    currency: "usd",
    status: "pending",
    failure_code: null,
    metadata: { id_pago: "p" },
    ...more,
  }) as unknown as Stripe.Payout;

test.each(moneda.options)("%s is counted in hundredths, as Stripe does", (code) => {
  expect(minorDigitsOf(code)).toBe(2);
  expect(currencyOf(code)).toBe(code.toLowerCase());
});

test.each([
  ["pending", "open", "failed"],
  ["in_transit", "open", "failed"],
  ["paid", "paid", "failed"],
  ["failed", "failed", "account_closed"],
  ["canceled", "failed", "canceled"],
] as const)("a payout that is %s is %s", (status, ours, motivo) => {
  const failure_code = status === "failed" ? "account_closed" : null;
  expect(payoutOf(payout({ status, failure_code }))).toEqual({
    gatewayId: "po_1",
    status: ours,
    monto: 1_000n,
    moneda: "USD",
    motivo,
    idPago: "p",
  });
});

test.each([
  [{ failure_code: 7 }],
  [{ failure_code: "\0 " }],
  [{ metadata: { id_pago: ["p"] } }],
  [{ metadata: null }],
])("%j is passed over", (more) => {
  const { motivo, idPago } = payoutOf(payout(more));
  expect(motivo).toBe("failed");
  expect(["p", undefined]).toContain(idPago);
});

test.each([
  [{ amount: 1.5 }],
  [{ amount: "1000" }],
  [{ id: undefined }],
  [{ id: "" }],
  [{ id: "po_\0" }],
  [{ id: "p".repeat(256) }],
  [{ currency: 7 }],
])("%j is no payout", (more) => {
  expect(() => payoutOf(payout(more))).toThrow("no payout");
});
