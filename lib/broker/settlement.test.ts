import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MessageHeaders, Outcome } from "./delivery.js";
import { settlementOf } from "./settlement.js";
import { maxAttempts, queueFamily } from "./topology.js";

const family = queueFamily("q", { ladderMs: [1_000, 2_000] });
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const rules = (second = 0) => ({ family, now: at(second), worker: "w1" });
const retry: Outcome = { kind: "retry", code: "INTERNAL", reason: "no luck" };

describe("settlementOf", () => {
  it("acks what is done", () => {
    expect(settlementOf({ kind: "done" }, {}, rules())).toEqual({ kind: "ack" });
  });

  it("hands back what is released as it is: no attempt counts, and what the broker has counted stays known", () => {
    const headers = { tenant: "a", "x-attempt": 2, "x-error-code": "40001", "x-delivery-count": 3 };
    const first = settlementOf({ kind: "release" }, { ...headers, "x-held-by": "w", "x-death": [] }, rules());
    const carried = { tenant: "a", "x-attempt": 2, "x-error-code": "40001", "x-returns": 3 };
    expect(first).toEqual({
      kind: "forward",
      to: "q.retry.1s",
      headers: { ...carried, "x-handed-back": 1 },
    });
    const again = settlementOf({ kind: "release" }, (first as { headers: MessageHeaders }).headers, rules());
    expect(again).toMatchObject({ headers: { ...carried, "x-handed-back": 2 } });
  });

  it("climbs the ladder, then dead-letters with the last reason and the first failure", () => {
    let headers: MessageHeaders = { traceparent: "00-ab" };
    const visited: string[] = [];
    for (let second = 1; second <= maxAttempts(family); second += 1) {
      const fate = settlementOf(retry, headers, rules(second));
      if (fate.kind !== "forward") {
        throw new Error(fate.kind);
      }
      visited.push(fate.to as string);
      headers = fate.headers;
    }
    expect(visited).toEqual(["q.retry.1s", "q.retry.2s", "q.dlq"]);
    expect(headers).toEqual({
      traceparent: "00-ab",
      "x-error-code": "ATTEMPTS_EXHAUSTED",
      "x-reason": "3 attempts, last INTERNAL: no luck",
      "x-attempts": 3,
      "x-first-failed-at": at(1).toISOString(),
      "x-last-failed-at": at(3).toISOString(),
      "x-worker": "w1",
      "x-queue": "q",
    });
  });

  it("dead-letters a reject at once", () => {
    const fate = settlementOf({ kind: "reject", code: "MESSAGE_MALFORMED", reason: "no step" }, {}, rules());
    expect(fate).toMatchObject({
      kind: "forward",
      to: "q.dlq",
      headers: { "x-error-code": "MESSAGE_MALFORMED", "x-reason": "no step", "x-attempts": 1 },
    });
  });

  it("ends for every message, whatever its headers say", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), fc.anything(), (foreign, attempt) => {
        let headers: MessageHeaders = { ...foreign, "x-attempt": attempt };
        for (let tries = 0; tries <= maxAttempts(family); tries += 1) {
          const fate = settlementOf(retry, headers, rules());
          if (fate.kind !== "forward") {
            return false;
          }
          if (fate.to === family.deadLetter) {
            return true;
          }
          headers = fate.headers;
        }
        return false;
      }),
    );
  });
});
