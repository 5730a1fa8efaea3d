import { describe, expect, it } from "vitest";
import { consider } from "./consider.js";
import { decide, distrust, type Fact } from "./decide.js";
import { NEW, type Payment } from "./payment.js";

const payment: Payment = {
  paymentId: "p",
  customerId: "ada",
  reference: null,
  amount: 1_000n,
  currency: "USD",
  method: "card",
  traceId: "t",
  createdAt: new Date(0),
  updatedAt: new Date(0),
  ...NEW,
};
const CHECKED: Fact = { kind: "checked", approved: true };

describe("an event is", () => {
  it("decided on the payment that it met", () => {
    expect(consider({ payment, repeated: false, foreign: false }, CHECKED)).toEqual({
      ...decide(payment, CHECKED),
      payment,
    });
  });

  it("illegal where the decision says so", () => {
    const decided = { ...payment, awaiting: "debit" } as const;
    expect(consider({ payment: decided, repeated: false, foreign: false }, CHECKED)).toMatchObject({
      kind: "illegal",
      reason: "approved by a check after another one",
    });
  });

  it("distrusted when it was told on another timeline", () => {
    expect(consider({ payment, repeated: false, foreign: true }, CHECKED)).toEqual({
      ...distrust(payment, CHECKED),
      payment,
    });
  });

  it("a repetition when its message led to a step, whatever the payment is now", () => {
    expect(consider({ payment, repeated: true, foreign: false }, CHECKED)).toEqual({
      kind: "repeated",
      payment,
    });
  });

  it("about an unknown payment when it met none", () => {
    expect(consider(undefined, CHECKED)).toEqual({ kind: "unknown" });
  });

  it("refused when it makes no sense for its payment", () => {
    expect(
      consider({ payment, repeated: false, foreign: false }, { kind: "refunded", total: "1.001" }),
    ).toMatchObject({
      kind: "refused",
      error: { code: "AMOUNT_INVALID" },
    });
  });
});
