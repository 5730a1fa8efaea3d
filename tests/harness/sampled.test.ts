import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { firstOfEach, sampled } from "./sampled.js";

const points = (count: number) => Array.from({ length: count }, (_, i) => i);

beforeEach(() => void vi.stubEnv("TEST_EVERY_POINT", ""));
afterEach(() => void vi.unstubAllEnvs());

test.each([
  [0, []],
  [1, [0]],
  [5, [0, 1, 2, 3, 4]],
  [6, [0, 3, 5]],
  [16, [0, 5, 10, 15]],
])("of %d points: all if they are few, else the first, the last, as many as the root", (count, expected) => {
  expect(sampled(points(count))).toEqual(expected);
});

test("those that are always to be there are, in their place, and must be points", () => {
  expect(sampled(points(16), [7, 15])).toEqual([0, 5, 7, 10, 15]);
  expect(() => sampled(points(16), [16])).toThrow("not among the points: 16");
});

test("of each kind the first", () => {
  expect(firstOfEach(points(7), (point) => point % 3)).toEqual([0, 1, 2]);
});

test("every point when the environment says so", () => {
  vi.stubEnv("TEST_EVERY_POINT", "1");
  expect(sampled(points(16))).toEqual(points(16));
});
