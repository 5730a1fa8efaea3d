import { expect, it } from "vitest";
import { LEARNED_RULE } from "../../../tests/harness/learned_rule.js";
import { UNIT_DOUBT } from "./judge.js";
import type { Known } from "./known.js";
import { leavesOf } from "./leaves.js";
import { normalisedBy } from "./normalised.js";

const CANDIDATE: Known = { ...LEARNED_RULE, state: "candidate" };
const event = (more: object) =>
  leavesOf({ order: "O9", status: "declined", currency: "USD", amount: "12.50", ...more });
const read = (known: Known, more: object = {}) => normalisedBy(known, event(more), null);

it("a candidate's events have no key, so none of them is taken for a repeat and lost", () => {
  const timed = { ...LEARNED_RULE.mapping, occurredAt: { path: "/at", format: "iso" } as const };
  const at = { at: "2026-11-20T12:00:00Z" };
  expect(read({ ...CANDIDATE, mapping: timed }, at)).toMatchObject({ method: "ai", dedupKey: null });
  const key = read({ ...LEARNED_RULE, mapping: timed }, at).dedupKey;
  expect(key).toContain("O9");
  expect(read({ ...LEARNED_RULE, mapping: timed }, { ...at, trace: "2" }).dedupKey).toBe(key);
  expect(read({ ...LEARNED_RULE, mapping: timed }, { ...at, amount: "12.51" }).dedupKey).not.toBe(key);
});

it("an order's number tells its attempts apart only with a time or the payment's own name", () => {
  expect(read(LEARNED_RULE)).toMatchObject({ method: "learned", dedupKey: null });
  const named: Known = { ...LEARNED_RULE, mapping: { ...LEARNED_RULE.mapping, paymentRef: "/transaction" } };
  expect(read(named, { transaction: "O9" }).dedupKey).toBeNull();
  const keys = ["T9", "T10"].map((transaction) => read(named, { transaction }).dedupKey);
  expect(new Set(keys).size).toBe(2);
  expect(keys).not.toContain(null);
});

it("without a provider's name an amount is read only where the event tells its unit, once others prove one", () => {
  for (const known of [LEARNED_RULE, CANDIDATE].map((each) => ({ ...each, family: "? api json" }))) {
    expect(read(known)).toMatchObject({ amount: "12.50" });
    expect(read(known, { amount: 12 })).toMatchObject({ unprocessed: { code: "UNDECIDABLE" } });
    expect(read(known, { amount: 5000, amount_cents: 1 }).unprocessed?.code).toBe("UNDECIDABLE");
    expect(read(known, { amount: "12.00" })).toMatchObject({ amount: "12.00" });
    expect(read({ ...known, waitsFor: UNIT_DOUBT }, { amount: 12 })).toMatchObject({ amount: "12.00" });
  }
  expect(read(LEARNED_RULE, { amount: 12 })).toMatchObject({ amount: "12.00" });
});
