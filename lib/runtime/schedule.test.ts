import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueAt } from "./schedule.js";

const HOUR = 3_600_000;
const NOW = 1_010 * HOUR;
const task = { intervalMs: 24 * HOUR, lastMs: 1_000 * HOUR, failures: 0, failedMs: 0 };

describe("dueAt", () => {
  it("is one interval after the last success, give or take a twentieth of it", () => {
    expect(dueAt(task, 0.5, NOW)).toBe(1_024 * HOUR);
    expect(dueAt(task, 0, NOW)).toBeCloseTo((1_024 - 1.2) * HOUR);
    expect(dueAt(task, 1, NOW)).toBeCloseTo((1_024 + 1.2) * HOUR);
  });

  it("is at once when there never was one, and never when it is switched off", () => {
    expect(dueAt({ ...task, lastMs: null }, 0.5, NOW)).toBe(0);
    expect(dueAt({ ...task, intervalMs: 0, lastMs: null }, 0.5, NOW)).toBe(Number.POSITIVE_INFINITY);
  });

  it("is now when the last success or failure is still to come: a clock was wrong", () => {
    const year = 365 * 24 * HOUR;
    expect(dueAt({ ...task, lastMs: NOW + year }, 1, NOW)).toBeLessThanOrEqual(NOW);
    expect(dueAt({ ...task, failures: 3, failedMs: NOW + year }, 1, NOW)).toBeLessThanOrEqual(NOW);
  });

  it("after failures is soon, then later and later, within a quarter of an hour and within the interval", () => {
    const waits = [1, 2, 3, 20, 2_000].map(
      (failures) => dueAt({ ...task, failures, failedMs: 7 }, 1, NOW) - 7,
    );
    expect(waits).toEqual([15_000, 30_000, 60_000, 900_000, 900_000]);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1_000, max: 1e9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, intervalMs, random) => {
          const wait = dueAt({ ...task, intervalMs, failures, failedMs: 0 }, random, NOW);
          expect(wait).toBeGreaterThan(0);
          expect(wait).toBeLessThanOrEqual(Math.min(intervalMs, 900_000));
        },
      ),
    );
  });
});
