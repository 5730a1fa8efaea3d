import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  attemptOf,
  deliveryCountOf,
  entryBytes,
  firstFailureOf,
  producersHeaders,
  tidyReason,
} from "./headers.js";

describe("headers from anyone", () => {
  it("always give a whole attempt from 1 and a delivery count from 0", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const headers = { "x-attempt": value, "x-delivery-count": value, "x-first-failed-at": value };
        expect(Number.isSafeInteger(attemptOf(headers))).toBe(true);
        expect(attemptOf(headers)).toBeGreaterThanOrEqual(1);
        expect(deliveryCountOf(headers)).toBeGreaterThanOrEqual(0);
        expect(["string", "undefined"]).toContain(typeof firstFailureOf(headers));
      }),
    );
  });

  it("are believed where they make sense", () => {
    const headers = {
      "x-attempt": 3,
      "x-delivery-count": 2,
      "x-first-failed-at": "2026-01-02T03:04:05.678Z",
    };
    expect([attemptOf(headers), deliveryCountOf(headers), firstFailureOf(headers)]).toEqual([
      3,
      2,
      "2026-01-02T03:04:05.678Z",
    ]);
  });
});

describe("producersHeaders", () => {
  it("keeps a producer's headers, drops ours and the broker's", () => {
    const own = { traceparent: "00-ab", "x-tenant": 7, "x-deathly": true };
    const others = {
      "x-attempt": 2,
      "x-reason": "why",
      "x-death": [],
      "x-first-death-queue": "q",
      "x-last-death-reason": "rejected",
      "x-delivery-count": 4,
      "x-acquired-count": 5,
      CC: ["q"],
    };
    const kept = producersHeaders({ ...own, ...others });
    expect(kept).toEqual({ traceparent: "00-ab", "x-tenant": 7, "x-deathly": true });
  });

  it("leaves out the largest where all are too large to be sent again, and says so", () => {
    const headers = { a: "x".repeat(30_000), b: "y".repeat(29_000), c: 1 };
    expect(producersHeaders(headers)).toEqual({
      b: headers.b,
      c: 1,
      "x-headers-cut": "too large to be kept: a (30007 bytes)",
    });
    expect(producersHeaders(producersHeaders(headers))).toEqual(producersHeaders(headers));
    expect(producersHeaders({ a: "x".repeat(50_000) })).toEqual({ a: "x".repeat(50_000) });
  });

  it("fits into amqplib's buffer beside ours, whatever it is", () => {
    const value = fc.oneof(
      fc.anything({ withBigInt: false }),
      fc.string({ minLength: 20_000, maxLength: 40_000, size: "max" }),
      fc.uint8Array({ minLength: 10_000, maxLength: 40_000, size: "max" }).map((bytes) => Buffer.from(bytes)),
    );
    const headers = fc.dictionary(fc.string({ maxLength: 60 }), value, { maxKeys: 6 });
    fc.assert(
      fc.property(headers, (given) => {
        const kept = producersHeaders(given);
        const bytes = Object.entries(kept).reduce((sum, [name, each]) => sum + entryBytes(name, each), 0);
        expect(bytes).toBeLessThan(60_000);
        const missing = Object.keys(given).some((name) => !Object.hasOwn(kept, name) && name !== "CC");
        expect(Object.hasOwn(kept, "x-headers-cut")).toBe(missing);
      }),
      { numRuns: 50 },
    );
  });
});

describe("tidyReason", () => {
  it("is one short line without control characters, whatever comes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 6_000 }), (text) => {
        const tidy = tidyReason(text);
        expect([...tidy].length).toBeLessThanOrEqual(1_000);
        expect(tidy).not.toMatch(/\p{Cc}/u);
      }),
    );
  });

  it("marks what it cut", () => {
    expect(tidyReason("a\n\tb\u001b[31m")).toBe("a b [31m");
    expect(tidyReason("x".repeat(2_000))).toBe(`${"x".repeat(999)}…`);
  });
});
