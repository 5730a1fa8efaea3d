import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deferred, fullJitterMs, pause, within } from "./timing.js";

const bounds = { baseMs: 100, capMs: 10_000 };

describe("fullJitterMs", () => {
  it("stays between nothing and the cap at any attempt", () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (attempt, chance) => {
        const ms = fullJitterMs(attempt, bounds, () => chance);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(bounds.capMs);
      }),
    );
  });

  it("doubles its bound until the cap", () => {
    const bound = (attempt: number) => fullJitterMs(attempt, bounds, () => 1);
    expect([0, 1, 2, 6, 7, 2_000].map(bound)).toEqual([100, 200, 400, 6_400, 10_000, 10_000]);
  });
});

describe("pause", () => {
  it("ends early when the signal fires, or has fired", async () => {
    const abort = new AbortController();
    const long = pause(60_000, abort.signal);
    abort.abort();
    await long;
    await pause(60_000, abort.signal);
  });
});

describe("within", () => {
  it("passes on what comes in time, value or error", async () => {
    const late = () => new Error("late");
    await expect(within(1_000, Promise.resolve(1), late)).resolves.toBe(1);
    await expect(within(1_000, Promise.reject(new Error("own")), late)).rejects.toThrow("own");
  });

  it("rejects when it takes too long", async () => {
    await expect(within(5, deferred().promise, () => new Error("late"))).rejects.toThrow("late");
  });
});
