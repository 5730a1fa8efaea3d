import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, missingOf } from "./decide.js";

const windowUuid = "018f0000-0000-7000-8000-000000000001";
const all = (due: number) => Array.from({ length: due }, (_, i) => i + 1);

describe("a window", () => {
  it("is closed when all reports came, whatever they say", () => {
    expect(decide({ windowUuid, due: 6, seqs: all(6), errors: 6 })).toEqual({
      windowUuid,
      state: "CLOSED",
      received: 6,
      errors: 6,
    });
  });

  it("of which nothing came is an alert", () => {
    expect(decide({ windowUuid, due: 6, seqs: [], errors: 0 })).toMatchObject({
      state: "ALERT",
      received: 0,
    });
  });

  it("whose sender ended lacks nothing after that", () => {
    expect(decide({ windowUuid, due: 2, seqs: [1, 2, 3], errors: 0 })).toMatchObject({
      state: "CLOSED",
      received: 2,
    });
    // Who said so had said more before: that is in place of nothing that lacks.
    expect(decide({ windowUuid, due: 2, seqs: [2, 3], errors: 0 })).toMatchObject({
      state: "ALERT",
      received: 1,
    });
    expect(decide({ windowUuid, due: 0, seqs: [], errors: 0 }).state).toBe("CLOSED");
  });

  it("is an alert exactly where one of its reports lacks, in whatever order they came", () => {
    const schedule = fc.integer({ min: 1, max: 40 }).chain((due) =>
      fc.record({
        due: fc.constant(due),
        seqs: fc.shuffledSubarray(all(due)),
      }),
    );
    fc.assert(
      fc.property(schedule, ({ due, seqs }) => {
        const missing = missingOf({ due, seqs });
        expect([...missing, ...seqs].toSorted((a, b) => a - b)).toEqual(all(due));
        const { state } = decide({ windowUuid, due, seqs, errors: 0 });
        expect(state).toBe(seqs.length === due ? "CLOSED" : "ALERT");
      }),
    );
  });
});
