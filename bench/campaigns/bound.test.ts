import { expect, it } from "vitest";
import { failureBound } from "./bound.js";

/** By published tables of the Clopper-Pearson bound: the least number of requests that shows 1 failure in 10,000 at most. */
it.each([
  [0, 29_956],
  [1, 47_437],
  [2, 62_956],
  [3, 77_535],
  [5, 105_128],
])("%i failures: %i requests show 99.99 %%", (failures, requests) => {
  expect(failureBound(failures, requests)).toBeLessThan(1e-4 * 1.0001);
  expect(failureBound(failures, requests - 20)).toBeGreaterThan(1e-4);
});

it.each([
  [1, 1, 1],
  [0, 1, 0.95],
  [0, 10, 0.2589],
  [2, 10, 0.5069],
])("%i failures of %i: %f at most", (failures, requests, bound) => {
  expect(failureBound(failures, requests)).toBeCloseTo(bound, 3);
});
