import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logRatio, totalVariation, zipfExponent } from "./distance.js";

describe("total variation", () => {
  it("is what would have to be elsewhere", () => {
    expect(totalVariation([0.5, 0.5], [0.5, 0.5])).toBe(0);
    expect(totalVariation([1, 0], [0, 1])).toBe(1);
    expect(totalVariation([0.6, 0.4], [0.5, 0.5])).toBeCloseTo(0.1);
  });
});

describe("the logarithm of a ratio", () => {
  const published = { least: 4, most: 6, source: "" };

  it("is 0 within what was published, and the same for twice and half of it", () => {
    expect([4, 5, 6].map((found) => logRatio(found, published))).toEqual([0, 0, 0]);
    expect(logRatio(12, published)).toBeCloseTo(Math.LN2);
    expect(logRatio(2, published)).toBeCloseTo(Math.LN2);
  });

  it("of nothing is beyond all bounds", () => {
    expect(logRatio(0, published)).toBe(Number.POSITIVE_INFINITY);
  });
});

it("the exponent of ranks is found again", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 3, noNaN: true }), (s) => {
      const counts = Array.from({ length: 200 }, (_, i) => (i + 1) ** -s);
      expect(zipfExponent(counts)).toBeCloseTo(s, 6);
    }),
  );
});
