import { describe, expect, it } from "vitest";
import { answerOf, disorder } from "./repeats.js";

const orderOf = (duplicateShare: number, disorderShare: number, requests = 1_000) => [
  ...disorder({ seed: 7, duplicateShare, disorderShare }, requests),
];

describe("disorder", () => {
  it("tells each event once, in order, without duplicates and disorder", () => {
    expect(orderOf(0, 0)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  });

  it("tells each event, and repeats the share that it is told", () => {
    const order = orderOf(0.2, 1);
    expect(new Set(order)).toEqual(new Set(Array.from({ length: 800 }, (_, i) => i)));
    expect(order).toHaveLength(1_000);
  });

  it("repeats at once without disorder, and anywhere with all of it", () => {
    const near = orderOf(0.5, 0);
    expect(near).toEqual(near.toSorted((a, b) => a - b));
    const far = orderOf(0, 1);
    const inFirstHalf = far.slice(0, 500).filter((n) => n < 500).length;
    expect(inFirstHalf).toBeGreaterThan(250);
    expect(far.slice(0, 100).some((n) => n > 300)).toBe(true);
  });

  it("is the same for the same seed", () => {
    expect(orderOf(0.2, 0.5)).toEqual(orderOf(0.2, 0.5));
  });

  it("repeats the only one there is", () => {
    expect(orderOf(1, 1, 3)).toEqual([0, 0, 0]);
  });
});

describe("answerOf", () => {
  it("knows of an event what the surest of its requests says", () => {
    const order = Uint32Array.of(0, 1, 0, 2, 2, 3, 1);
    expect(answerOf(order, ["refused", "unknown", "created", "refused", "unknown", "refused"])).toEqual([
      { n: 0, told: 2, answer: "created" },
      { n: 1, told: 1, answer: "unknown" },
      { n: 2, told: 2, answer: "unknown" },
      { n: 3, told: 1, answer: "refused" },
    ]);
  });
});
