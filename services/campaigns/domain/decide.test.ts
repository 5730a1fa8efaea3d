import { describe, expect, it } from "vitest";
import { STATES, type State } from "./campaign.js";
import { decide } from "./decide.js";

const campaign = (state: State) => ({ state, budget: 1_000n, spend: 400n });

describe("decide", () => {
  it.each<[State, string]>([
    ["CREATED", "CREATED→ACTIVE, CREATED×PAUSED, CREATED→COMPLETED"],
    ["ACTIVE", "unchanged, ACTIVE→PAUSED, ACTIVE→COMPLETED"],
    ["PAUSED", "PAUSED→ACTIVE, unchanged, PAUSED→COMPLETED"],
    ["COMPLETED", "COMPLETED×ACTIVE, COMPLETED×PAUSED, unchanged"],
  ])("%s: %s", (from, expected) => {
    const found = (["ACTIVE", "PAUSED", "COMPLETED"] as const).map((state) => {
      const decision = decide(campaign(from), { kind: "enter", state });
      switch (decision.kind) {
        case "change":
          expect(decision.to.budget).toBe(1_000n);
          return `${from}→${decision.to.state}`;
        case "illegal":
          return `${decision.from}×${decision.to}`;
        default:
          return decision.kind;
      }
    });
    expect(found.join(", ")).toBe(expected);
  });

  it.each<[bigint, string]>([
    [399n, "below spend"],
    [400n, "change"],
    [1_000n, "unchanged"],
    [1_001n, "change"],
  ])("a budget of %s is %s while it goes on", (budget, kind) => {
    for (const state of STATES.filter((each) => each !== "COMPLETED")) {
      const decision = decide(campaign(state), { kind: "budget", budget });
      expect(decision).toEqual(kind === "change" ? { kind, to: { state, budget } } : { kind });
    }
  });

  it("the budget of what is over stays", () => {
    const over = campaign("COMPLETED");
    expect(decide(over, { kind: "budget", budget: 2_000n })).toMatchObject({ kind: "illegal" });
    expect(decide(over, { kind: "budget", budget: 1_000n })).toEqual({ kind: "unchanged" });
  });
});
