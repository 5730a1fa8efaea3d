import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CoreError } from "./core_errors.js";
import { verdictOf } from "./retry.js";

const withCode = (code: unknown) => Object.assign(new Error("x"), { code });

describe("verdictOf", () => {
  it.each<[string, string[]]>([
    [
      "outage",
      [
        ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENOTFOUND", "EAI_AGAIN"],
        ...["08000", "08006", "53100", "53300", "57P01", "57P02", "57P03", "25006"],
      ],
    ],
    [
      "retry",
      [
        ...["40001", "40P01", "55P03", "57014", "58030"],
        // Classes and codes that nobody foresaw.
        ...["XX000", "0A000", "25P02", "57000", "99999", "EMFILE", "404", ""],
      ],
    ],
    ["reject", [...["22003", "22P02", "23505", "23514", "42P01", "42501", "42601"]]],
  ])("%s", (verdict, codes) => {
    expect(codes.filter((code) => verdictOf(withCode(code)) !== verdict)).toEqual([]);
  });

  it("of an error of ours is the one that its code has", () => {
    expect(verdictOf(new CoreError("PUBLISH_NACKED", "full"))).toBe("outage");
    expect(verdictOf(new CoreError("PUBLISH_UNROUTABLE", "gone"))).toBe("retry");
    expect(verdictOf(new CoreError("MESSAGE_MALFORMED", "no"))).toBe("reject");
  });

  it("knows a single code of a class that it does not know", () => {
    expect(verdictOf(withCode("57P01"))).toBe("outage");
    expect(verdictOf(withCode("57P99"))).toBe("retry");
  });

  it("has classes for SQLSTATEs only, which have five characters", () => {
    const others = ["2200", "220031", "42_UNKNOWN", "0800", "530000"];
    expect(others.filter((code) => verdictOf(withCode(code)) !== "retry")).toEqual([]);
  });

  it.each(["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"])(
    "is not fooled by %s",
    (code) => {
      expect(verdictOf(withCode(code))).toBe("retry");
    },
  );

  it("goes by the code, not by the text", () => {
    expect(verdictOf(new Error("ECONNREFUSED"))).toBe("retry");
    expect(verdictOf("ECONNREFUSED")).toBe("retry");
    expect(verdictOf(new CoreError("MESSAGE_MALFORMED", "ECONNREFUSED"))).toBe("reject");
  });

  it("is one of three for anything thrown", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.string().map(withCode), fc.anything().map(withCode)),
        (thrown) => {
          expect(["outage", "retry", "reject"]).toContain(verdictOf(thrown));
        },
      ),
    );
  });
});
