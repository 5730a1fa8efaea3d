import { expect, it } from "vitest";
import { judge } from "./judge.js";
import { leavesOf } from "./leaves.js";
import type { Mapping } from "./mapping.js";
import { readMapped } from "./read.js";

const NOW = new Date("2026-11-20T12:00:00Z");
const MAPPING: Mapping = {
  kinds: { paths: ["/type"], values: { payment: true, adjustment: true } },
  status: { paths: ["/status"], values: { paid: "APPROVED" } },
  amount: { path: "/amount", unit: "major" },
  currency: "/currency",
  id: "/id",
  paymentRef: null,
  occurredAt: null,
  merchant: null,
  country: null,
  reason: null,
};
const event = (type: string, amount: unknown, more: object = {}) =>
  leavesOf({ id: `${type} ${amount}`, type, status: "paid", currency: "USD", amount, ...more });

it("a unit is proven for each kind of events, or not at all", () => {
  const payments = ["10.50", "12.25"].map((amount) => event("payment", amount));
  expect(judge(MAPPING, payments, NOW).unitProven).toBe(true);
  expect(judge(MAPPING, [...payments, event("adjustment", "1000")], NOW).unitProven).toBe(false);
  expect(judge(MAPPING, [...payments, event("adjustment", "10.01")], NOW).unitProven).toBe(true);
});

it("minor units are hundredths: of another currency they are unknown, unless they are called cents", () => {
  const minor: Mapping = { ...MAPPING, amount: { path: "/amount", unit: "minor" } };
  const pesos = event("payment", 1_299_000, { currency: "CLP", amount_decimal: "12990.00" });
  expect(readMapped(minor, pesos)).toMatchObject({ amount: null, isUnitUnknown: true, unreadable: [] });
  expect(readMapped(minor, event("payment", 1_299))).toMatchObject({ amount: "12.99", isUnitUnknown: false });
  expect(judge(minor, [pesos], NOW).refusals).toEqual(["of no event's currency the minor units are known"]);
  expect(judge(MAPPING, [pesos], NOW).refusals).toEqual([
    "the unit is major by the model, minor by its second field",
  ]);
  const cents: Mapping = { ...MAPPING, amount: { path: "/cents", unit: "minor" } };
  expect(readMapped(cents, event("payment", null, { currency: "CLP", cents: 1_299_000 }))).toMatchObject({
    amount: "12990",
    isUnitUnknown: false,
  });
});
