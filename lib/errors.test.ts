import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CoreError } from "./core_errors.js";
import { codeOf, messageOf, PlatformError } from "./errors.js";

describe("PlatformError", () => {
  it("is one line for a person: code, what happened, what to do", () => {
    expect(String(new CoreError("SCHEMA_BEHIND", "no tables.", { hint: "Run: payments migrate up." }))).toBe(
      "SCHEMA_BEHIND: no tables. Run: payments migrate up.",
    );
    expect(String(new CoreError("INTERNAL", "why?"))).toBe("INTERNAL: why?");
  });

  it.each([
    [new CoreError("SETTINGS_INVALID", ""), 2],
    [new CoreError("INTERNAL", ""), 1],
    [new CoreError("INTERRUPTED", ""), 130],
  ])("%o ends a command with %i", (error, exit) => {
    expect(error).toBeInstanceOf(PlatformError);
    expect(error.exitCode).toBe(exit);
  });

  it("keeps its cause", () => {
    const cause = new Error("below");
    expect(new CoreError("INTERNAL", "above", { cause }).cause).toBe(cause);
  });
});

it.each<[unknown, string | undefined]>([
  [new CoreError("INTERNAL", ""), "INTERNAL"],
  [Object.assign(new Error(), { code: "40001" }), "40001"],
  [{ code: 404 }, "404"],
  [{ code: null }, undefined],
  [{ code: {} }, undefined],
  ["ECONNREFUSED", undefined],
  [null, undefined],
])("codeOf(%o) is %s", (error, code) => {
  expect(codeOf(error)).toBe(code);
});

describe("messageOf", () => {
  it.each<[unknown, string]>([
    [new Error("a\n  b\t"), "a b"],
    [new TypeError(""), "TypeError"],
    [new AggregateError([new Error("first"), new Error("second")], "all"), "first"],
    [new AggregateError([], "none"), "none"],
    [new AggregateError([new AggregateError([new Error("deep")])]), "deep"],
    ["text", "text"],
    [undefined, "undefined"],
    [Symbol("s"), "Symbol(s)"],
  ])("of %o", (error, text) => {
    expect(messageOf(error)).toBe(text);
  });

  it("is one line and never an error itself, whatever was thrown", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
        expect(messageOf(thrown)).not.toMatch(/[\r\n]/);
        codeOf(thrown);
      }),
    );
  });
});
