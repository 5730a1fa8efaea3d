import { describe, expect, it } from "vitest";
import { codeOf } from "../errors.js";
import { signatureHeaders, webhookKey } from "./signature.js";
import { verifyWebhook } from "./verify.js";

/** The example of the specification's own libraries. */
const KEY = webhookKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
const OTHER = Buffer.alloc(24, 7);
const BODY = Buffer.from('{"test": 2432232314}');
const NOW = new Date(1_614_265_330_000);
const signed = { webhookId: "msg_p5jXN8AQM9LWM0D4loKWxJek", signedAt: NOW };

/** What a request with these headers is refused with; "taken" when it is not. */
function refusal(headers: object, { keys = [KEY], body = BODY, at = NOW } = {}): string | undefined {
  try {
    expect(verifyWebhook(keys, { ...headers }, body, at)).toEqual(signed);
    return "taken";
  } catch (error) {
    return codeOf(error);
  }
}

const HEADERS = signatureHeaders({ id: signed.webhookId, body: BODY, at: NOW }, [KEY]);
const plus = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);

describe("a webhook's signature", () => {
  it.each([
    ["as it was signed", HEADERS, {}],
    ["by the second of two keys", HEADERS, { keys: [OTHER, KEY] }],
    [
      "beside a signature of another key and one of another kind",
      {
        ...HEADERS,
        "webhook-signature": `v1a,abc v1,${OTHER.toString("base64")}${"A".repeat(11)}= ${HEADERS["webhook-signature"]}`,
      },
      {},
    ],
    ["five minutes later", HEADERS, { at: plus(300) }],
    ["five minutes before", HEADERS, { at: plus(-300) }],
  ])("is taken %s", (_, headers, given) => {
    expect(refusal(headers, given)).toBe("taken");
  });

  it.each([
    ["SIGNATURE_MISSING", "without an id", { ...HEADERS, "webhook-id": undefined }, {}],
    ["SIGNATURE_MISSING", "without a time", { ...HEADERS, "webhook-timestamp": "" }, {}],
    ["SIGNATURE_MISSING", "without a signature", { ...HEADERS, "webhook-signature": undefined }, {}],
    ["SIGNATURE_MALFORMED", "with a point in its id", { ...HEADERS, "webhook-id": "a.b" }, {}],
    ["SIGNATURE_MALFORMED", "with a time that is none", { ...HEADERS, "webhook-timestamp": "1e9" }, {}],
    ["SIGNATURE_MALFORMED", "of another kind only", { ...HEADERS, "webhook-signature": "v2,abc" }, {}],
    ["SIGNATURE_MALFORMED", "that is too short", { ...HEADERS, "webhook-signature": "v1,YWJj" }, {}],
    ["SIGNATURE_MALFORMED", "that is no base64", { ...HEADERS, "webhook-signature": "v1,ñ" }, {}],
    ["SIGNATURE_EXPIRED", "that is old", HEADERS, { at: plus(301) }],
    ["SIGNATURE_EXPIRED", "of a time to come", HEADERS, { at: plus(-301) }],
    ["SIGNATURE_INVALID", "of another body", HEADERS, { body: Buffer.from("{}") }],
    ["SIGNATURE_INVALID", "of another time", { ...HEADERS, "webhook-timestamp": "1614265331" }, {}],
    ["SIGNATURE_INVALID", "of another id", { ...HEADERS, "webhook-id": "msg_1" }, {}],
    ["SIGNATURE_INVALID", "by another key", HEADERS, { keys: [OTHER] }],
    ["SIGNATURE_INVALID", "by nobody who is known", HEADERS, { keys: [] }],
  ])("is refused as %s %s", (code, _, headers, given) => {
    expect(refusal(headers, given)).toBe(code);
  });
});
