import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRefund, refundMovementId } from "./refund.js";

const minor = fc.bigInt({ min: 1n, max: 1_000n });

describe("decideRefund", () => {
  it("gives back no more than was taken, whatever is asked for", () => {
    fc.assert(
      fc.property(minor, fc.array(fc.option(minor, { nil: undefined })), (amount, asked) => {
        let refunded = 0n;
        for (const each of asked) {
          const left = amount - refunded;
          const result = decideRefund({ amount: each }, { outcome: "approved", amount, refunded });
          if (left > 0n && (each ?? left) <= left) {
            expect(result).toEqual({
              kind: "refund",
              amount: each ?? left,
              refundedTotal: refunded + (each ?? left),
            });
            refunded += each ?? left;
          } else {
            expect(result).toEqual({ kind: "too much", left });
          }
        }
      }),
    );
  });

  it.each(["declined", "cancelled"] as const)("gives nothing back of what was %s", (outcome) => {
    expect(decideRefund({ amount: undefined }, { outcome, amount: 5n, refunded: 0n })).toEqual({
      kind: "nothing taken",
    });
  });
});

it("a refund has one movement, however often it is asked for", () => {
  const of = (paymentId: string, refundId: string) => refundMovementId({ paymentId, refundId });
  expect(of("p", "a")).toBe(of("p", "a"));
  expect(new Set([of("p", "a"), of("p", "b"), of("q", "a")]).size).toBe(3);
});
