import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlatformError } from "../lib/errors.js";
import { formatMessage, MAX_BODY_BYTES, type Message, type OutMessage, parseMessage } from "./message.js";

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const parsed = (text: string) => parseMessage(Buffer.from(text));

/** The message, or the error's code; any other exception fails the test. */
function outcomeOf(body: Buffer): Message | string {
  try {
    return parseMessage(body);
  } catch (error) {
    if (error instanceof PlatformError) {
      return error.code;
    }
    throw error;
  }
}

const run = fc.integer({ min: 0, max: 999_999_999 }).map((n) => `r${n}`);
const chunk = fc.integer({ min: 0, max: 2_147_483_647 });
const month = fc
  .tuple(fc.integer({ min: 1_000, max: 9_999 }), fc.integer({ min: 1, max: 12 }))
  .map(([year, m]) => `${year}-${String(m).padStart(2, "0")}-01`);
const outMessage: fc.Arbitrary<OutMessage> = fc.oneof(
  fc.record({ kind: fc.constant("plan" as const), run }),
  fc.record({ kind: fc.constantFrom("stage" as const, "clean" as const), run, chunk }),
  fc.record({ kind: fc.constant("agg" as const), run, month }),
);

describe("a message of ours", () => {
  it("comes back as it was sent", () => {
    fc.assert(
      fc.property(outMessage, (message) => {
        expect(parsed(formatMessage(message))).toEqual(message);
      }),
    );
  });

  it("looks as documented", () => {
    expect(formatMessage({ kind: "plan", run: "r1" })).toBe('{"v":1,"step":"stage","run":"r1"}');
    expect(formatMessage({ kind: "clean", run: "r1", chunk: 0 })).toBe(
      '{"v":1,"step":"clean","run":"r1","chunk":0}',
    );
    expect(formatMessage({ kind: "agg", run: "r1", month: "2025-01-01" })).toBe(
      '{"v":1,"step":"agg","run":"r1","month":"2025-01-01"}',
    );
  });
});

describe("the bare word", () => {
  it.each(["stage", " stage", "stage\n", "stage\r\n", "\tstage  "])("%j begins a run", (text) => {
    expect(parsed(text)).toEqual({ kind: "begin" });
  });

  it.each([
    "Stage",
    "STAGE",
    '"stage"',
    "stage stage",
    "stage.",
    "stag",
    "",
    " ",
    "clean",
    "st age",
    "stage\0",
    "ſtage",
  ])("%j does not", (text) => {
    expect(outcomeOf(Buffer.from(text))).toBe("MESSAGE_MALFORMED");
  });
});

describe("a message of others", () => {
  const good = { v: 1, step: "clean", run: "r1", chunk: 0 };

  it.each<[string, unknown]>([
    ["other version", { ...good, v: 2 }],
    ["no version", { step: "clean", run: "r1", chunk: 0 }],
    ["unknown step", { ...good, step: "drop" }],
    ["inherited step", { ...good, step: "constructor" }],
    ["unknown field", { ...good, extra: 1 }],
    ["field of another step", { ...good, month: "2025-01-01" }],
    ["no run", { v: 1, step: "stage" }],
    ["clean without chunk", { v: 1, step: "clean", run: "r1" }],
    ["agg without month", { v: 1, step: "agg", run: "r1" }],
    ["chunk as text", { ...good, chunk: "0" }],
    ["chunk below 0", { ...good, chunk: -1 }],
    ["part of a chunk", { ...good, chunk: 0.5 }],
    ["chunk beyond 32 bits", { ...good, chunk: 2 ** 31 }],
    ["chunk null", { ...good, chunk: null }],
    ["run with a newline", { ...good, run: "r1\n" }],
    ["run that is SQL", { ...good, run: "r1; DROP TABLE txn" }],
    ["run of ten digits", { ...good, run: "r1234567890" }],
    ["13th month", { v: 1, step: "agg", run: "r1", month: "2025-13-01" }],
    ["day inside a month", { v: 1, step: "agg", run: "r1", month: "2025-01-02" }],
    ["array", [good]],
    ["number", 1],
    ["null", null],
  ])("is refused: %s", (_, value) => {
    expect(outcomeOf(json(value))).toBe("MESSAGE_MALFORMED");
  });

  it.each([
    ["__proto__ as a field", '{"v":1,"step":"clean","run":"r1","chunk":0,"__proto__":{"x":1}}'],
    ["everything in __proto__", '{"__proto__":{"v":1,"step":"clean","run":"r1","chunk":0}}'],
    ["a number beyond doubles", '{"v":1,"step":"clean","run":"r1","chunk":1e999}'],
    ["a number of many digits", `{"v":1,"step":"clean","run":"r1","chunk":${"9".repeat(5_000)}}`],
    ["deep nesting", "[".repeat(60_000)],
    ["deep nesting that ends", `${"[".repeat(30_000)}${"]".repeat(30_000)}`],
    ["two values", '{"v":1,"step":"stage","run":"r1"}{}'],
    ["half a value", '{"v":1,"step":"stage","run":"r1"'],
  ])("is refused: %s", (_, text) => {
    expect(outcomeOf(Buffer.from(text))).toBe("MESSAGE_MALFORMED");
  });

  it.each([
    [
      "invalid UTF-8",
      Buffer.concat([Buffer.from('{"v":1,"step":"stage","run":"r1'), Buffer.from([0xff]), Buffer.from('"}')]),
    ],
    ["UTF-16", Buffer.from('{"v":1,"step":"stage","run":"r1"}', "utf16le")],
    ["a BOM before the bare word", Buffer.from("\ufeffstage")],
    ["a byte that is no text around the bare word", Buffer.from([0xa0, ...Buffer.from("stage"), 0xa0])],
  ])("is refused: %s", (_, body) => {
    expect(outcomeOf(body)).toBe("MESSAGE_MALFORMED");
  });

  it("is refused beyond 64 KiB, whatever it is", () => {
    const padded = (bytes: number) => Buffer.from("stage".padEnd(bytes));
    expect(MAX_BODY_BYTES).toBe(65_536);
    expect(outcomeOf(padded(MAX_BODY_BYTES))).toEqual({ kind: "begin" });
    expect(outcomeOf(padded(MAX_BODY_BYTES + 1))).toBe("MESSAGE_TOO_LARGE");
    expect(outcomeOf(Buffer.alloc(10_000_000))).toBe("MESSAGE_TOO_LARGE");
  });

  it("is a message or a reason, whatever the bytes", () => {
    const near = fc.record(
      {
        v: fc.oneof(fc.constant(1), fc.jsonValue()),
        step: fc.oneof(fc.constantFrom("stage", "clean", "agg"), fc.jsonValue()),
        run: fc.oneof(run, fc.jsonValue()),
        chunk: fc.oneof(chunk, fc.jsonValue()),
        month: fc.oneof(month, fc.jsonValue()),
        proto: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      near.map((value) => Buffer.from(JSON.stringify(value).replace('"proto":', '"__proto__":'))),
    );
    const codes = ["MESSAGE_MALFORMED", "MESSAGE_TOO_LARGE"];
    fc.assert(
      fc.property(body, (bytes) => {
        const outcome = outcomeOf(bytes);
        if (typeof outcome === "string") {
          expect(codes).toContain(outcome);
        } else if (outcome.kind !== "begin") {
          expect(parsed(formatMessage(outcome))).toEqual(outcome);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("is never repeated in the reason", () => {
    const secret = "hunter2-4111111111111111";
    const bodies = [
      secret,
      `{"${secret}`,
      JSON.stringify({ ...good, [secret]: 1 }),
      JSON.stringify({ ...good, run: secret }),
    ];
    for (const text of [...bodies, secret.repeat(5_000)]) {
      const error = caught(() => parsed(text));
      expect(error).toBeInstanceOf(PlatformError);
      const { message, stack, cause, hint } = error as PlatformError;
      expect([String(error), message, stack, hint, String(cause)].join()).not.toContain("hunter2");
    }
  });
});

function caught(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
