import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectedOf, ratesOf, tickOf, turnAt } from "./schedule.js";

const schedule = (s: number) => ({ intervalMs: 10_000, durationMs: s * 1_000 });

describe("a schedule", () => {
  it.each([
    [60, 6],
    [69, 6],
    [70, 7],
    [299, 29],
    [300, 30],
  ])("of %i s has %i ticks, the last one maybe at its end", (s, expected) => {
    expect(expectedOf(schedule(s))).toBe(expected);
  });
});

describe("a turn", () => {
  it.each([
    [9_999, 0, undefined],
    [10_000, 0, { missed: [], now: 1, done: 1 }],
    [19_999, 0, { missed: [], now: 1, done: 1 }], // late, but its own
    [20_000, 0, { missed: [1], now: 2, done: 2 }],
    [15_000, 1, undefined],
    [60_000, 5, { missed: [], now: 6, done: 6 }],
    [69_999, 5, { missed: [], now: 6, done: 6 }],
    [70_000, 5, { missed: [6], now: undefined, done: 6 }],
    [1e9, 2, { missed: [3, 4, 5, 6], now: undefined, done: 6 }],
    [1e9, 6, undefined],
  ])("after %d ms with %i done is %j", (elapsedMs, done, turn) => {
    expect(turnAt(elapsedMs, done, schedule(60))).toEqual(turn);
  });

  it("comes to each tick once, whenever its process wakes", () => {
    const wakes = fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(wakes, (times) => {
        const audited: number[] = [];
        for (const at of [...times.toSorted((a, b) => a - b), 1e6]) {
          const turn = turnAt(at, audited.at(-1) ?? 0, schedule(60));
          audited.push(...(turn?.missed ?? []), ...(turn?.now === undefined ? [] : [turn.now]));
        }
        expect(audited).toEqual([1, 2, 3, 4, 5, 6]);
      }),
    );
  });
});

describe("a tick", () => {
  const rates = { seed: 7, errorRate: 0.3, omissionRate: 0.3 };
  const ticks = (of = rates) => Array.from({ length: 2_000 }, (_, i) => tickOf(of, i + 1));

  it("is the same whenever it is asked for, and another one with another seed", () => {
    expect(ticks()).toEqual(ticks());
    expect(ticks({ ...rates, seed: 8 })).not.toEqual(ticks());
  });

  it("goes wrong as often as its window says", () => {
    const share = (of: ReturnType<typeof ticks>, what: (tick: (typeof of)[number]) => boolean) =>
      of.filter(what).length / of.length;
    expect(share(ticks(), ({ omitted }) => omitted)).toBeCloseTo(0.3, 1);
    expect(share(ticks(), ({ status }) => status !== "ok")).toBeCloseTo(0.3, 1);
    expect(
      ticks({ seed: 1, errorRate: 0, omissionRate: 0 }).every((t) => t.status === "ok" && !t.omitted),
    ).toBe(true);
    expect(
      ticks({ seed: 1, errorRate: 1, omissionRate: 1 }).every((t) => t.status !== "ok" && t.omitted),
    ).toBe(true);
  });

  it("of a window without rates goes wrong in up to three of ten", () => {
    const { errorRate, omissionRate } = ratesOf(42);
    expect(ratesOf(42)).toEqual(ratesOf(42));
    expect(errorRate).toBeLessThanOrEqual(0.3);
    expect(omissionRate).toBeLessThanOrEqual(0.3);
  });
});
