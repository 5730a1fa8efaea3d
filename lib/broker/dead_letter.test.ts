import type { Message } from "amqplib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { original, readDeadLetter } from "./dead_letter.js";

function message(
  headers: object | undefined,
  properties: object = {},
  body: Buffer | string = "body",
): Message {
  return {
    content: Buffer.from(body),
    fields: { deliveryTag: 7 },
    properties: { headers, ...properties },
  } as unknown as Message;
}

const BURIED = {
  tenant: "a",
  "x-attempts": 7,
  "x-error-code": "23505",
  "x-reason": "duplicate\u001b[2J key",
  "x-first-failed-at": "2026-01-01T10:00:00.000Z",
  "x-last-failed-at": "2026-01-01T10:05:00.000Z",
  "x-worker": "host:1",
};
const POISON = {
  tenant: "a",
  "x-attempt": 3,
  "x-error-code": "40001",
  "x-delivery-count": 1,
  "x-death": [
    {
      reason: "delivery_limit",
      queue: "work_queue",
      count: 1,
      time: { "!": "timestamp", value: 1_767_261_600 },
    },
  ],
};

describe("a letter", () => {
  it("buried by a worker says what the worker wrote", () => {
    expect(
      readDeadLetter(message(BURIED, { messageId: "m1", contentType: "application/json" })),
    ).toMatchObject({
      id: "m1",
      code: "23505",
      reason: "duplicate [2J key",
      attempts: 7,
      firstFailedAt: "2026-01-01T10:00:00.000Z",
      lastFailedAt: "2026-01-01T10:05:00.000Z",
      worker: "host:1",
      properties: { messageId: "m1", contentType: "application/json" },
    });
  });

  it("given up by the broker says so, whatever a former attempt left in its headers", () => {
    expect(readDeadLetter(message(POISON))).toMatchObject({
      code: "DELIVERY_LIMIT",
      attempts: 3,
      lastFailedAt: "2026-01-01T10:00:00.000Z",
    });
  });

  it("with a code of blanks has none", () => {
    expect(readDeadLetter(message({ ...BURIED, "x-error-code": " " })).code).toBe("UNKNOWN");
  });

  it("without an id has one of its content, the same at each look", () => {
    const { id } = readDeadLetter(message(POISON));
    expect(id).toMatch(/^derived-[0-9a-f]{20}$/);
    expect(readDeadLetter(message({ ...POISON, "x-delivery-count": 9 })).id).toBe(id);
    expect(readDeadLetter(message(POISON, {}, "another")).id).not.toBe(id);
    expect(readDeadLetter(message({ ...POISON, tenant: "b" })).id).not.toBe(id);
  });

  it.each(["--all", "", "two words", "line\nbreak", "é", "x".repeat(65)])(
    "does not take %j for an id",
    (messageId) => {
      expect(readDeadLetter(message(BURIED, { messageId })).id).toMatch(/^derived-/);
    },
  );

  it("goes back as its producer sent it", () => {
    expect(original(readDeadLetter(message(POISON, { messageId: "m1", contentType: "text/plain" })))).toEqual(
      {
        headers: { tenant: "a" },
        messageId: "m1",
        contentType: "text/plain",
      },
    );
    expect(original(readDeadLetter(message(undefined)))).toEqual({
      headers: {},
      messageId: expect.stringMatching(/^derived-/),
    });
  });

  it("goes back with all its properties, and the expiration that we, or the broker, had written down", () => {
    const properties = {
      messageId: "m1",
      type: "t",
      contentEncoding: "gzip",
      correlationId: "c",
      replyTo: "r",
      appId: "a",
      timestamp: 1_767_261_600,
      priority: 3,
    };
    const headers = { "x-producer-user-id": "somebody" };
    const buried = { ...BURIED, ...headers, "x-producer-expiration": "60000" };
    expect(original(readDeadLetter(message(buried, { ...properties, deliveryMode: 1 })))).toEqual({
      ...properties,
      headers: { tenant: "a", ...headers },
      expiration: "60000",
    });
    const expired = {
      "x-death": [{ reason: "expired", queue: "work_queue", "original-expiration": "60000" }],
    };
    expect(original(readDeadLetter(message(expired)))).toMatchObject({ headers: {}, expiration: "60000" });
    const forged = { "x-producer-expiration": "soon" };
    expect(original(readDeadLetter(message(forged)))).toEqual({
      headers: forged,
      messageId: expect.any(String),
    });
  });

  it.each(["1", "yesterday", "+275760-01-01", -1e300, Number.NaN, {}])(
    "takes %j for no time of failure",
    (time) => {
      const bad = { ...BURIED, "x-first-failed-at": time, "x-last-failed-at": time };
      const { firstFailedAt, lastFailedAt } = readDeadLetter(message(bad));
      for (const at of [firstFailedAt, lastFailedAt]) {
        expect(at ?? "2001-").toMatch(/^2001-/);
      }
      const death = {
        "x-death": [{ reason: "rejected", time: { value: typeof time === "number" ? time : 1e300 } }],
      };
      expect(readDeadLetter(message(death))).toMatchObject({ code: "UNKNOWN", lastFailedAt: undefined });
    },
  );

  it("may bear anything", () => {
    const anything = fc.dictionary(
      fc.constantFrom(
        "x-death",
        "x-attempts",
        "x-attempt",
        "x-reason",
        "x-error-code",
        "x-last-failed-at",
        "other",
      ),
      fc.anything({ withBigInt: false }),
    );
    fc.assert(
      fc.property(anything, fc.anything(), fc.uint8Array(), (headers, messageId, body) => {
        const letter = readDeadLetter(message(headers, { messageId }, Buffer.from(body)));
        expect(letter.id).toMatch(/^[\x21-\x7e]{1,64}$/);
        expect(letter.code.length).toBeGreaterThan(0);
        expect(letter.reason).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
