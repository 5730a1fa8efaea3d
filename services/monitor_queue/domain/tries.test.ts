import { describe, expect, it } from "vitest";
import { verdictOf, waitMs } from "./tries.js";

const waits = { firstMs: 1_000, longestMs: 300_000 };

describe("an answer", () => {
  it.each([
    [200, "accepted"],
    [201, "accepted"],
    [301, "refused"],
    [400, "refused"],
    [401, "refused"],
    [404, "refused"],
    [408, "failed"],
    [413, "refused"],
    [422, "refused"],
    [429, "failed"],
    [500, "failed"],
    [502, "failed"],
    [503, "failed"],
    [504, "failed"],
  ] as const)("%i is %s", (status, verdict) => {
    expect(verdictOf(status)).toBe(verdict);
  });
});

describe("the waits", () => {
  const longest = Array.from({ length: 11 }, (_, i) => waitMs(i + 1, 0, waits, () => 1));

  it("double from a second and are five minutes at most, 18.5 minutes in all", () => {
    expect(longest.map((ms) => ms / 1_000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    expect(longest.reduce((sum, ms) => sum + ms, 0) / 60_000).toBeCloseTo(18.5, 1);
  });

  it("are spread from nothing on, so that what failed together does not come back together", () => {
    expect(waitMs(5, 0, waits, () => 0)).toBe(0);
    expect(waitMs(5, 0, waits, () => 0.5)).toBe(8_000);
  });

  it("are as long as the monitor asks for, and no longer than ours", () => {
    expect(waitMs(1, 7, waits, () => 0)).toBe(7_000);
    expect(waitMs(1, 3_600, waits, () => 0)).toBe(300_000);
  });
});
