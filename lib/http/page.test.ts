import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { cursorOf, pageQuery } from "./page.js";

const query = z.strictObject(pageQuery(z.tuple([z.iso.datetime(), z.uuidv7()])));
const key = ["2026-11-26T10:00:00.123456Z", "019c2f3a-7d10-7a5e-9a3d-2b7c1d0e4f55"] as const;

describe("a page", () => {
  it("has 50 items from the beginning, unless its caller says otherwise", () => {
    expect(query.parse({})).toEqual({ limit: 50 });
    expect(query.parse({ limit: "100", cursor: cursorOf(key) })).toEqual({ limit: 100, cursor: key });
  });

  it.each(["0", "101", "1.5", "-1", "", "many"])("does not have %j items", (limit) => {
    expect(query.safeParse({ limit }).success).toBe(false);
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "abc"],
    ["another list's", cursorOf(["1", key[1]])],
    ["a shorter key", cursorOf([key[0]])],
    ["a long text", cursorOf(["x".repeat(2_000), key[1]])],
    ["JSON of no key", Buffer.from('{"a":1}').toString("base64url")],
  ])("does not begin after %s", (_, cursor) => {
    const issues = query.safeParse({ cursor }).error?.issues;
    expect(issues?.map(({ path, message }) => [path, message])).toEqual([
      [["cursor"], "is no cursor of ours"],
    ]);
  });

  it("begins after any key that it gave, in text that a URL takes", () => {
    const any = z.strictObject(pageQuery(z.array(z.string())));
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 5 }), (given) => {
        const cursor = cursorOf(given);
        expect(encodeURIComponent(cursor)).toBe(cursor);
        expect(any.parse({ cursor }).cursor).toEqual(given);
      }),
    );
  });
});
