import fc from "fast-check";
import { expect, it } from "vitest";
import { copied, deal, inLanes, LANES, quotePath } from "./inputs.js";

it("deal gives every input to one session, and none much more than another", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 40 }), (sizes) => {
      const inputs = sizes.map((rows, n) => ({ path: String(n), rows }));
      const hands = deal(inputs);
      expect(hands).toHaveLength(LANES);
      expect(hands.flat().toSorted((a, b) => Number(a.path) - Number(b.path))).toEqual(inputs);
      const sums = hands.map((hand) => hand.reduce((sum, { rows }) => sum + rows, 0));
      expect(Math.max(...sums) - Math.min(...sums)).toBeLessThanOrEqual(Math.max(0, ...sizes));
    }),
  );
});

it("inLanes does each piece once, in order, at most LANES at a time", async () => {
  const begun: number[] = [];
  let busy = 0;
  let most = 0;
  await inLanes(9, async (n) => {
    begun.push(n);
    most = Math.max(most, ++busy);
    await new Promise(setImmediate);
    busy--;
  });
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(most).toBe(LANES);
});

it("inLanes fails when a piece fails", async () => {
  await expect(
    inLanes(3, (n) => (n === 1 ? Promise.reject(new Error("no")) : Promise.resolve())),
  ).rejects.toThrow("no");
});

it("copied adds up what psql reports, and nothing else", () => {
  expect(copied("SET\nCOPY 12\nCOPY 30\n make_leaf \nCOPYX 5\nCOPY 1 row\n")).toBe(42);
  expect(copied("")).toBe(0);
});

it("quotePath survives a quote", () => {
  expect(quotePath("/a b/it's")).toBe("'/a b/it''s'");
});
