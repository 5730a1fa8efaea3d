import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mix, Prng } from "./prng.js";

const first = (count: number, ...words: number[]) => {
  const rng = new Prng(...words);
  return Array.from({ length: count }, () => rng.u32());
};

describe("Prng", () => {
  it("draws the same everywhere", () => {
    expect(first(4, 1, 2, 3)).toEqual([2_192_856_412, 161_450_541, 1_751_867_358, 2_356_628_307]);
  });

  it("draws another stream when any word changes, also above 32 bits", () => {
    const word = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), fc.nat(3), word, (words, at, other) => {
        const changed = words.with(at % words.length, other);
        expect(first(4, ...words)).toEqual(first(4, ...words));
        if (changed.join() !== words.join()) {
          expect(first(4, ...changed)).not.toEqual(first(4, ...words));
        }
      }),
    );
    expect(first(4, 1)).not.toEqual(first(4, 2 ** 32 + 1));
    expect(first(4, 1, 2)).not.toEqual(first(4, 2, 1));
  });

  it("stays in its ranges", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 21 }), (seed, n) => {
        const rng = new Prng(seed);
        for (let i = 0; i < 20; i++) {
          const [unit, below, u32] = [rng.unit(), rng.below(n), rng.u32()];
          expect(unit >= 0 && unit < 1 && below >= 0 && below < n && Number.isInteger(below)).toBe(true);
          expect(u32 >= 0 && u32 < 2 ** 32 && Number.isInteger(u32)).toBe(true);
        }
      }),
    );
  });

  it.each([2, 10, 97])("is even over %i boxes, also across streams that differ by one", (n) => {
    const draws = 50_000;
    const chiSquare = (draw: (i: number) => number) => {
      const boxes = new Array<number>(n).fill(0);
      for (let i = 0; i < draws; i++) {
        const box = draw(i);
        boxes[box] = (boxes[box] ?? 0) + 1;
      }
      return boxes.reduce((sum, box) => sum + (box - draws / n) ** 2 / (draws / n), 0);
    };
    const rng = new Prng(5);
    // Mean n - 1, standard deviation √(2(n - 1)).
    const limit = n - 1 + 5 * Math.sqrt(2 * (n - 1));
    expect(chiSquare(() => rng.below(n))).toBeLessThan(limit);
    expect(chiSquare((i) => new Prng(1, 1, i, 0).below(n))).toBeLessThan(limit);
  });
});

it("mix never maps two numbers to one", () => {
  const seen = new Set<number>();
  for (let i = 0; i < 100_000; i++) {
    seen.add(mix(Math.imul(i, 42_949)));
  }
  expect(seen.size).toBe(100_000);
});
