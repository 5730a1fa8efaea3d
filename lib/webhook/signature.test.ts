import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { signatureHeaders, webhookKeys } from "./signature.js";

const secretOf = (key: Uint8Array) => `whsec_${Buffer.from(key).toString("base64")}`;
const key = fc.uint8Array({ minLength: 24, maxLength: 64 });

describe("a signature", () => {
  it("is the one that Standard Webhooks has as its example", () => {
    const headers = signatureHeaders(
      {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        body: '{"test": 2432232314}',
        at: new Date(1_614_265_330_000),
      },
      webhookKeys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    );
    expect(headers).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("verifies with the public package, by each of several keys and no other", () => {
    fc.assert(
      fc.property(
        fc.array(key, { minLength: 1, maxLength: 3 }),
        key,
        fc.json(),
        fc.uuid(),
        (keys, another, body, id) => {
          const headers = signatureHeaders(
            { id, body, at: new Date() },
            webhookKeys(keys.map(secretOf).join(" ")),
          );
          for (const each of keys) {
            expect(() => new Webhook(secretOf(each)).verify(body, headers)).not.toThrow();
            expect(() => new Webhook(secretOf(each)).verify(`${body} `, headers)).toThrow();
          }
          fc.pre(!keys.some((each) => Buffer.from(each).equals(Buffer.from(another))));
          expect(() => new Webhook(secretOf(another)).verify(body, headers)).toThrow();
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("a secret", () => {
  it("may stand beside others, and its padding may lack", () => {
    const [one, two] = [Buffer.alloc(24, 1), Buffer.alloc(25, 2)];
    const secrets = `  ${secretOf(one)}\n${secretOf(two).replace(/=+$/, "")} `;
    expect(webhookKeys(secrets)).toEqual([one, two]);
    expect(webhookKeys(" ")).toEqual([]);
  });

  it.each([
    [secretOf(Buffer.alloc(23)), /24 to 64/],
    [secretOf(Buffer.alloc(65)), /24 to 64/],
    [Buffer.alloc(24).toString("base64"), /whsec_/],
    [`whsec_${"!".repeat(32)}`, /base64/],
    [`${secretOf(Buffer.alloc(24))} whsec_short`, /./],
  ])("that is none is refused, and not said", (secrets, problem) => {
    expect(() => webhookKeys(secrets)).toThrow(problem);
    expect(() => webhookKeys(secrets)).not.toThrow(secrets.slice(-8));
  });
});
