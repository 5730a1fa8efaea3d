import { describe, expect, it } from "vitest";
import type { Failure } from "../ledger/failure.js";
import type { RunStatus } from "./status.js";
import { STALLED_S, stuck } from "./stuck.js";

const FAILED: Failure = {
  step: "clean",
  chunk: 3,
  month: null,
  code: "23514",
  reason: "a rule is broken",
  attempts: 1,
  messageId: "m1",
  failedAt: "2026-01-01T00:00:00.000Z",
};
const run = (changes: Partial<RunStatus>) => ({ run: "r1", idleS: 0, failures: [], ...changes }) as RunStatus;

describe("a run that does not go on says", () => {
  it("which chunk failed, why, and what to do", () => {
    expect(stuck(run({ failures: [FAILED] }))).toEqual({
      why: "r1 does not go on: clean of chunk 3 failed: 23514: a rule is broken.",
      todo: "See: payments dlq show m1. When its cause is mended: payments dlq replay m1, or payments resume r1.",
    });
  });

  it("which month, after how many attempts", () => {
    const agg: Failure = { ...FAILED, step: "agg", chunk: null, month: "2025-02-01", attempts: 7 };
    expect(stuck(run({ failures: [agg] }))?.why).toContain("agg of 2025-02 failed after 7 attempts: 23514");
  });

  it("how many others failed; a letter without an id is found in the list", () => {
    const two = stuck(run({ failures: [FAILED, FAILED] }));
    expect(two?.why).toMatch(/ \(and 1 more\)$/);
    expect(two?.todo).toContain("payments dlq replay --all, or payments resume r1");
    expect(stuck(run({ failures: [{ ...FAILED, messageId: null }] }))?.todo).toContain("payments dlq list");
  });

  it("that nothing moves: a dead letter that the broker made is in no ledger", () => {
    expect(stuck(run({ idleS: STALLED_S }))).toMatchObject({
      why: "r1: nothing has moved for 10m00s.",
      todo: expect.stringMatching(/payments doctor.*payments dlq list.*payments resume r1/),
    });
  });
});

it("a run that moves is not stuck", () => {
  expect(stuck(run({ idleS: STALLED_S - 1 }))).toBeUndefined();
});
