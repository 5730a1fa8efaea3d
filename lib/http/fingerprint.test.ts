import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, fingerprintOf } from "./fingerprint.js";

describe("canonical JSON", () => {
  it.each<[string, unknown]>([
    ['{"a":[true,null,"x"],"b":1}', { b: 1, a: [true, null, "x"] }],
    ['{"b":{"c":2,"d":1}}', { b: { d: 1, c: 2 } }],
    ['{"amount":9007199254740993}', { amount: 9_007_199_254_740_993n }],
    ['{"b":1}', { a: undefined, b: 1 }],
    ["[null]", [undefined]],
    ['"1970-01-01T00:00:00.000Z"', new Date(0)],
    ['{"text":"1.10"}', { text: { toJSON: () => "1.10" } }],
  ])("is %s", (text, value) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it("is JSON for the same value, the same for any order of its fields", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
        const turned = (part: unknown): unknown => {
          if (typeof part !== "object" || part === null) {
            return part;
          }
          return Array.isArray(part)
            ? part.map(turned)
            : Object.fromEntries(
                Object.entries(part)
                  .map(([k, v]) => [k, turned(v)] as const)
                  .reverse(),
              );
        };
        expect(fingerprintOf(turned(value))).toEqual(fingerprintOf(value));
      }),
    );
  });

  it("differs where the value does", () => {
    const texts = ["1", 1, [1], { a: 1 }, { a: "1" }, null, [[1]], [1, 1]].map(canonicalJson);
    expect(new Set(texts).size).toBe(texts.length);
  });
});
