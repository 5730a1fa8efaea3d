import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DeadLetter } from "../broker/dead_letter.js";
import { describeLetter, jsonOf, previewOf, shorten } from "./present.js";

function letter(body: Buffer | string, headers: Record<string, unknown> = {}): DeadLetter {
  return {
    id: "m1",
    code: "RUN_UNKNOWN",
    reason: "why",
    attempts: 1,
    firstFailedAt: undefined,
    lastFailedAt: undefined,
    worker: undefined,
    queue: undefined,
    properties: { messageId: "m1" },
    headers,
    body: Buffer.from(body),
    deliveryTag: 1,
  };
}

describe("preview", () => {
  it.each<[Buffer | string, string]>([
    ["short", "short"],
    ["two\nlines\t and more", "two lines and more"],
    ["a\u001b]0;title\u0007b", "a·]0;title·b"],
    ["right\u202eleft", "right·left"],
    ["x".repeat(30), `${"x".repeat(19)}…`],
    ["é".repeat(200), `${"é".repeat(19)}…`],
    [Buffer.from([0xff, 0x00, 0x1b]), "0xff001b"],
    ["", ""],
  ])("of %j is %j", (body, preview) => {
    expect(previewOf(Buffer.from(body), 20)).toBe(preview);
  });

  it("is one printable line of at most so many characters, of whatever bytes, cut wherever", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 60 }), (body, most) => {
        const preview = previewOf(Buffer.from(body), most);
        expect([...preview].length).toBeLessThanOrEqual(most);
        expect(preview).not.toMatch(/[\p{C}\n]/u);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 50 }), (text) => {
        expect(previewOf(Buffer.from(text), 20)).not.toMatch(/^0x[0-9a-f]+…$/);
      }),
    );
  });
});

describe("a letter whole", () => {
  it("keeps every byte in JSON", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const { body, encoding } = JSON.parse(JSON.stringify(jsonOf(letter(Buffer.from(bytes)))));
        expect(Buffer.from(body, encoding).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
    expect(jsonOf(letter("\ufeffmarked"))).toMatchObject({ body: "\ufeffmarked" });
  });

  it("shows a person text as it is, but nothing that a terminal would obey", () => {
    expect(describeLetter(letter('{\n  "v": 1\n}'))).toMatch(/body, 12 bytes\n{\n {2}"v": 1\n}$/);
    expect(describeLetter(letter("\u001b[2J"))).toMatch(/body, 4 bytes, base64\nG1sySg==$/);
    const headers = describeLetter(letter("x", { "a\u009b": "\u009b31m", n: 1, none: null }));
    expect(headers).toContain('  a·: "·31m"\n  n: 1\n  none: null\n');
  });
});

it("shortens by characters, not by halves of them", () => {
  expect(shorten("💳💳💳", 2)).toBe("💳…");
  expect(shorten("💳💳", 2)).toBe("💳💳");
});

it("an event's letter is shown in the words of the contract, too", () => {
  const event = {
    ...letter('{"id":"p1"}', { key: "p1" }),
    properties: { messageId: "m1", type: "payments.created" },
    lastFailedAt: "2026-01-01T10:05:00.000Z",
  };
  expect(jsonOf(event)["envelope"]).toEqual({
    original_topic: "payments.created",
    key: "p1",
    value: '{"id":"p1"}',
    timestamp: "2026-01-01T10:05:00.000Z",
    attempts: 1,
    error: "RUN_UNKNOWN: why",
  });
  expect(jsonOf(letter("go"))).not.toHaveProperty("envelope");
});
