import { expect, test } from "vitest";
import { CoreError } from "../../../lib/core_errors.js";
import { failureOf, refusalOf } from "./stripe_refusal.js";

test.each([
  [
    { statusCode: 400, rawType: "invalid_request_error", code: "balance_insufficient" },
    { kind: "refused", motivo: "balance_insufficient" },
  ],
  [
    { statusCode: 402, rawType: "invalid_request_error" },
    { kind: "refused", motivo: "invalid_request_error" },
  ],
  [{ statusCode: 400 }, { kind: "unknown", ended: false, why: "400" }],
  [
    { statusCode: 402, rawType: "card_error" },
    { kind: "unknown", ended: false, why: "402 card_error" },
  ],
  [
    { statusCode: 404, rawType: "invalid_request_error", code: "resource_missing" },
    { kind: "unknown", ended: false, why: "404 resource_missing" },
  ],
  [{ statusCode: 408 }, { kind: "unknown", ended: false, why: "408" }],
  [
    { statusCode: 429, code: "rate_limit" },
    { kind: "later", why: "429 rate_limit" },
  ],
  [
    { statusCode: 401, rawType: "authentication_error" },
    { kind: "later", why: "401 authentication_error" },
  ],
  [{ statusCode: 403 }, { kind: "later", why: "403" }],
  [
    { statusCode: 409, code: "idempotency_key_in_use" },
    { kind: "unknown", ended: false, why: "idempotency_key_in_use" },
  ],
  [
    { statusCode: 400, rawType: "idempotency_error" },
    { kind: "unknown", ended: false, why: "idempotency_error" },
  ],
])("%j is certain: %j", (error, answer) => {
  expect(refusalOf(error)).toEqual(answer);
});

test("what is said again of an error is final, and no failure of the gateway now", () => {
  const again = { statusCode: 500, headers: { "idempotent-replayed": "true" } };
  expect(refusalOf(again)).toMatchObject({ kind: "unknown", ended: true });
});

test.each([[{ statusCode: 500 }], [{ statusCode: 503 }], [{}], [new Error("socket hang up")]])(
  "%j is a failure of the gateway",
  (error) => {
    expect(refusalOf(error)).toBeUndefined();
  },
);

test("a failure leaves open what was paid, unless nobody was there", () => {
  expect(failureOf({ statusCode: 500, headers: {} })).toMatchObject({ kind: "unknown", ended: false });
  expect(failureOf({ detail: { code: "ECONNRESET" } })).toMatchObject({ kind: "unknown", ended: false });
  expect(failureOf({ detail: { code: "ECONNREFUSED" } })).toMatchObject({ kind: "later" });
  expect(failureOf(new CoreError("UNAVAILABLE", "open"))).toEqual({ kind: "later", why: "open" });
});
