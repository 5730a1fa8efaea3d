import { describe, expect, it } from "vitest";
import { planOf } from "./plan.js";
import { DEFAULT_SPEC, readMix, readRate, readShare, requireSpec } from "./spec.js";

describe("options", () => {
  it.each([
    ["1667", 1_667],
    ["1667/s", 1_667],
    ["100000/min", 100_000 / 60],
    ["0.5/s", 0.5],
  ])("a rate %s", (text, rate) => {
    expect(readRate(text)).toBe(rate);
  });

  it.each(["", "0", "-1", "1e3", "10/h", "100001/s", " 5"])("no rate: %j", (text) => {
    expect(() => readRate(text)).toThrow("It takes a rate");
  });

  it("a mix, and none", () => {
    expect(readMix("payments=3,events")).toEqual({ payments: 3, events: 1 });
    expect(() => readMix("payments:3")).toThrow("It takes kinds");
  });

  it.each(["1.1", "x", "", "-0.1"])("no share: %j", (text) => {
    expect(() => readShare(text)).toThrow("from 0 to 1");
  });

  it.each([
    [{ mix: { parties: 1 } }, "there is no kind parties; there are: payments"],
    [{ mix: { payments: 0 } }, "no kind has a weight"],
    [{ hotShare: 0.5, fraudShare: 0.5, insufficientShare: 0.1 }, "more than 1"],
    [{ customers: 1_105, hotCustomers: 6 }, "there are only 5 who have money"],
  ])("a spec that cannot be: %j", (change, message) => {
    expect(() => requireSpec({ ...DEFAULT_SPEC, ...change }, ["payments"])).toThrow(message);
  });
});

describe("a plan", () => {
  it("gives each kind its share at any moment, and numbers each by itself", () => {
    const spec = { ...DEFAULT_SPEC, ratePerS: 100, seconds: 1, mix: { a: 3, c: 1 } };
    const { kinds, numbers, counts } = planOf(spec, ["a", "b", "c"]);
    expect(counts).toEqual([75, 0, 25]);
    const seen = [0, 0, 0];
    for (const [i, kind] of kinds.entries()) {
      expect(numbers[i]).toBe(seen[kind]);
      seen[kind] = (seen[kind] ?? 0) + 1;
      expect(Math.abs((seen[0] ?? 0) - 0.75 * (i + 1))).toBeLessThanOrEqual(1);
    }
  });
});
