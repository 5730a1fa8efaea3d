import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Prng } from "./prng.js";
import { AliasTable, lognormalTable, normalQuantile, slotsByWeight, zipfWeights } from "./sampling.js";

describe("slotsByWeight", () => {
  const weights = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1_000, noNaN: true })), {
    minLength: 1,
    maxLength: 50,
  });

  it("gives each index its share of the slots, and none that has weight goes without", () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 5_000 }), (list, size) => {
        const slots = slotsByWeight(list, size);
        const total = list.reduce((sum, weight) => sum + weight, 0);
        list.forEach((weight, index) => {
          const copies = slots.filter((slot) => slot === index).length;
          if (weight === 0) {
            expect(copies).toBe(0);
          } else {
            expect(copies).toBeGreaterThanOrEqual(1);
            expect(copies).toBeLessThanOrEqual(Math.max(1, (weight / total) * size + 0.5));
            expect(copies).toBeGreaterThanOrEqual((weight / total) * size - 0.5);
          }
        });
      }),
    );
  });

  it("is empty when nothing has weight", () => {
    expect(slotsByWeight([0, 0], 10)).toHaveLength(0);
  });
});

describe("AliasTable", () => {
  /** How often each index is drawn when the random numbers go evenly through [0, 1). */
  function drawn(table: AliasTable, draws: number, count: number): number[] {
    const found = Array<number>(count).fill(0);
    let k = 0;
    const rng = { unit: () => (k++ + 0.5) / draws } as Prng;
    for (let i = 0; i < draws; i++) {
      const index = table.draw(rng);
      found[index] = (found[index] ?? 0) + 1;
    }
    return found;
  }

  it("draws each index in proportion to its weight", () => {
    const weights = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1_000, noNaN: true })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(weights, (list) => {
        const total = list.reduce((sum, weight) => sum + weight, 0);
        fc.pre(total > 0);
        const table = new AliasTable(list);
        expect(table.members()).toEqual([...list.keys()].filter((index) => (list[index] ?? 0) > 0));
        const draws = 20_000;
        drawn(table, draws, list.length).forEach((found, index) => {
          expect(Math.abs(found / draws - (list[index] ?? 0) / total)).toBeLessThan(0.005);
        });
      }),
      { numRuns: 50 },
    );
  });

  it("takes as many as it can tell apart, and gives 0 when nothing has weight", () => {
    expect(new AliasTable(new Float64Array(65_536).fill(1)).members()).toHaveLength(65_536);
    expect(() => new AliasTable(new Float64Array(65_537).fill(1))).toThrow(RangeError);
    expect(new AliasTable([0, 0]).draw({ unit: () => 0.9 } as Prng)).toBe(0);
  });
});

describe("normalQuantile", () => {
  it.each([
    [0.5, 0],
    [0.6, 0.2533471031357997],
    [0.975, 1.959963984540054],
    [0.99, 2.3263478740408408],
    [0.001, -3.090232306167813],
    [1e-10, -6.361340902404056],
  ])("of %f is %f", (p, z) => {
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThanOrEqual(1.2e-9 * Math.max(1, Math.abs(z)));
  });

  it("is odd around a half and grows", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 0.499, noNaN: true }), (p) => {
        expect(normalQuantile(p) + normalQuantile(1 - p)).toBeCloseTo(0, 8);
        expect(normalQuantile(p)).toBeLessThan(normalQuantile(p + 0.001));
      }),
    );
  });
});

describe("tables", () => {
  it("lognormal: growing, median 1, spread as sigma says", () => {
    for (const sigma of [0.4, 1.1]) {
      const table = lognormalTable(sigma, 4_096);
      for (let i = 1; i < table.length; i++) {
        expect(table[i]).toBeGreaterThan(table[i - 1] ?? 0);
      }
      expect(((table[2_047] ?? 0) + (table[2_048] ?? 0)) / 2).toBeCloseTo(1, 3);
      const logs = [...table].map(Math.log);
      expect(Math.sqrt(logs.reduce((sum, log) => sum + log * log, 0) / logs.length)).toBeCloseTo(sigma, 2);
    }
  });

  it("zipf: the law itself", () => {
    const weights = zipfWeights(3, 2, 1);
    expect([...weights]).toEqual([1, 1 / 4, 1 / 9]);
  });
});
