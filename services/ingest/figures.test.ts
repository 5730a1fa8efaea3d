import { expect, it } from "vitest";
import { byProvider, isSuspect, meanLatencyMs, successRate, sumBy, total } from "./figures.js";
import type { Figure } from "./store/figures.js";

const figure = (status: Figure["status"], events: number, more: Partial<Figure> = {}): Figure => ({
  ...{ provider: "stripe", status, reason: "", code: "", method: "rule", events, latencyMs: 2 * events },
  ...more,
});

it("of what came to an end the approved are the successes; refunds and what is pending are no part", () => {
  const all = [
    figure("APPROVED", 6),
    figure("DECLINED", 1),
    figure("FAILED", 1),
    figure("REFUNDED", 9),
    figure("PENDING", 9),
  ];
  expect(successRate(all)).toBe(0.75);
  expect(total(all)).toBe(26);
  expect(meanLatencyMs(all)).toBe(2);
});

it("nothing has no rate and no mean", () => {
  expect([successRate([]), successRate([figure("PENDING", 1)]), meanLatencyMs([])]).toEqual([
    null,
    null,
    null,
  ]);
});

it("sums have the greatest first, without what has no name", () => {
  const reasons = [
    figure("DECLINED", 1, { reason: "TIMEOUT" }),
    figure("DECLINED", 2, { reason: "BANK_DECLINE" }),
    figure("FAILED", 2, { reason: "TIMEOUT" }),
    figure("APPROVED", 9),
  ];
  expect(sumBy(reasons, ({ reason }) => reason)).toEqual([
    ["TIMEOUT", 3],
    ["BANK_DECLINE", 2],
  ]);
});

it("names that no event was understood of are nobody's, and cost no more than their rows", () => {
  const unknown = (provider: string, code: string) =>
    figure("UNPROCESSED", 1, { provider, code, method: "none" });
  const all = [
    ...Array.from({ length: 10_000 }, (_, i) =>
      unknown(`made-up-${i}`, i % 2 ? "AI_PENDING" : "UNRECOGNISED"),
    ),
    figure("APPROVED", 2),
    unknown("stripe", "UNRECOGNISED"),
    unknown("wompi", "UNKNOWN_VALUE"),
  ];
  expect(byProvider(all).map(([provider, own]) => [provider, total(own)])).toEqual([
    ["", 10_000],
    ["stripe", 3],
    ["wompi", 1],
  ]);
});

it.each([
  [{ events: 100, round: 95 }, true],
  [{ events: 100, round: 94 }, false],
  [{ events: 49, round: 49 }, false],
])("%j is suspect: %s", (rounding, suspect) => {
  expect(isSuspect({ provider: "", currency: "USD", ...rounding })).toBe(suspect);
});
