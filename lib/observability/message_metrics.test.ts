import { describe, expect, it } from "vitest";
import type { Outcome, Settled } from "../broker/delivery.js";
import { codeLabelOf, countSettlement, messageMetrics } from "./message_metrics.js";
import { createRegistry, register } from "./registry.js";

/** What is counted of a message, without the metrics' explanations. */
async function countsOf(outcome: Outcome, deadLettered: boolean): Promise<string[]> {
  const registry = createRegistry();
  const settlement = { outcome, deadLettered } as Settled;
  countSettlement(register(registry, messageMetrics), "desk-service", codeLabelOf(["DESK_FULL"]), settlement);
  const text = await registry.metrics();
  return text.split("\n").filter((line) => /^payments_messages_/.test(line));
}

describe("a message is counted by what became of it, not by what its handler wished:", () => {
  const deadlock = { kind: "retry", code: "40P01", reason: "deadlock" } as const;

  it("on the ladder", async () => {
    expect(await countsOf(deadlock, false)).toEqual([
      'payments_messages_retried_total{service="desk-service",code="SQLSTATE_40"} 1',
    ]);
  });

  it("past its end", async () => {
    expect(await countsOf(deadlock, true)).toEqual([
      'payments_messages_dead_lettered_total{service="desk-service",code="SQLSTATE_40"} 1',
    ]);
  });

  it("rejected", async () => {
    expect(await countsOf({ kind: "reject", code: "DESK_FULL", reason: "no" }, true)).toEqual([
      'payments_messages_dead_lettered_total{service="desk-service",code="DESK_FULL"} 1',
    ]);
  });

  it("done or handed back: not at all", async () => {
    expect(await countsOf({ kind: "done" }, false)).toEqual([]);
    expect(await countsOf({ kind: "release" }, false)).toEqual([]);
  });
});
