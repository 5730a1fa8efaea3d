import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Account, decideSpends } from "./spend.js";

const account = (more: Partial<Account> = {}): Account => ({
  campaignId: "a",
  currency: "USD",
  state: "ACTIVE",
  started: true,
  budget: 1_000n,
  spend: 0n,
  ...more,
});
const outcomes = (of: Account, ...amounts: bigint[]) =>
  decideSpends(
    amounts.map((amount) => ({ campaignId: of.campaignId, amount, currency: "USD" })),
    new Map([[of.campaignId, of]]),
  );

describe("decideSpends", () => {
  it("spends to the last cent; what does not fit keeps nothing smaller from it", () => {
    expect(outcomes(account({ spend: 400n }), 500n, 200n, 100n, 1n)).toEqual([
      "spent",
      "over_budget",
      "spent",
      "over_budget",
    ]);
  });

  it.each<[string, Partial<Account>, string]>([
    ["another currency", { currency: "EUR" }, "wrong_currency"],
    ["another currency, paused", { currency: "EUR", state: "PAUSED" }, "wrong_currency"],
    ["created", { state: "CREATED" }, "not_active"],
    ["paused", { state: "PAUSED" }, "not_active"],
    ["completed", { state: "COMPLETED" }, "not_active"],
    ["not begun", { started: false }, "not_active"],
    ["active", {}, "spent"],
  ])("%s: %s", (_, more, outcome) => {
    expect(outcomes(account(more), 1n)).toEqual([outcome]);
  });

  it("never passes a budget, and refuses only what would", () => {
    const ids = fc.constantFrom("a", "b");
    const asked = fc.array(fc.record({ id: ids, amount: fc.bigInt({ min: 1n, max: 300n }) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(asked, fc.bigInt({ min: 0n, max: 1_000n }), (list, spend) => {
        const accounts = new Map(
          ["a", "b"].map((campaignId) => [campaignId, account({ campaignId, spend })]),
        );
        const left = new Map(["a", "b"].map((id) => [id, 1_000n - spend]));
        const decided = decideSpends(
          list.map(({ id, amount }) => ({ campaignId: id, amount, currency: "USD" })),
          accounts,
        );
        for (const [i, { id, amount }] of list.entries()) {
          const rest = (left.get(id) as bigint) - amount;
          expect(decided[i]).toBe(rest < 0n ? "over_budget" : "spent");
          left.set(id, rest < 0n ? rest + amount : rest);
        }
      }),
    );
  });
});
