import { describe, expect, it } from "vitest";
import { Patience, verdictOf, waitMs } from "./tries.js";

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

  it("end before a report is released, whatever the monitor asks for", () => {
    for (const asked of [1, 60, 150, 3_600]) {
      const patience = new Patience(waits, () => 1);
      const all = Array.from({ length: 11 }, (_, i) => patience.nextMs(i + 1, asked));
      expect(all[0]).toBe(Math.min(300_000, asked * 1_000));
      expect(all.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(1_500_000); // HOLD_MS
    }
  });
});
