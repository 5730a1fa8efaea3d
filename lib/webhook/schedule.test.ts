import { describe, expect, it } from "vitest";
import { retryAfterS, retryInS } from "./schedule.js";

/** Waits of a webhook whose every attempt fails. */
function waits(random: number): number[] {
  const all: number[] = [];
  for (let attempts = 1; ; attempts++) {
    const wait = retryInS(attempts, 0, () => random);
    if (wait === undefined) {
      return all;
    }
    all.push(wait);
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const DAY_S = 86_400;

describe("retries", () => {
  it("are nine, ever later, over three days", () => {
    expect(waits(0)).toHaveLength(9);
    expect(waits(0)).toEqual(waits(0).toSorted((a, b) => a - b));
    expect(sum(waits(0)) / DAY_S).toBeCloseTo(3.15, 2);
  });

  it("end before a webhook expires, whatever chance adds", () => {
    expect(waits(0.5)).not.toEqual(waits(0));
    expect(sum(waits(1)) / DAY_S).toBeLessThan(4);
  });

  it("come no sooner than the receiver asks", () => {
    expect(retryInS(1, 60, () => 0)).toBe(60);
    expect(retryInS(2, 60, () => 0)).toBe(300);
    expect(retryInS(10, 60)).toBeUndefined();
  });
});

describe("Retry-After", () => {
  const now = new Date("2026-01-01T00:00:00Z");
  it.each([
    ["120", 120],
    [" 7 ", 7],
    ["0", 0],
    ["999999", 3_600],
    ["Thu, 01 Jan 2026 00:01:30 GMT", 90],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["soon", 0],
    ["-5", 0],
    ["", 0],
    [undefined, 0],
  ])("%j is %d seconds", (header, seconds) => {
    expect(retryAfterS(header, now)).toBe(seconds);
  });
});
