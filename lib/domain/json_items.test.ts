import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeOf } from "../errors.js";
import { jsonItems } from "./json_items.js";

const itemsOf = (text: string, max = 100) => jsonItems(Buffer.from(text), max).map(String);

describe("jsonItems", () => {
  it.each([
    ["[]", []],
    [" [ \n] ", []],
    ["[1]", ["1"]],
    ['[{"a":[1,2]},"x,]"]', ['{"a":[1,2]}', '"x,]"']],
    ['["\\"],[",2]', ['"\\"],["', "2"]],
    ['\ufeff {"a":1} ', ['{"a":1} ']],
    // What is wrong within stays within.
    ["[1,,{]},2]", ["1", "", "{]}", "2"]],
    ["[1,]", ["1", ""]],
    ["[,]", ["", ""]],
  ])("%j is %j", (text, items) => {
    expect(itemsOf(text)).toEqual(items);
  });

  it("gives each item of any list", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, "\t"), (list, indent) => {
        expect(itemsOf(JSON.stringify(list, null, indent)).map((item) => JSON.parse(item))).toEqual(
          JSON.parse(JSON.stringify(list)),
        );
      }),
    );
  });

  it.each(["", " ", "1", '"x"', "null", "[", "[1", '["]', "[1]]", "[1] 2", "[[1]", '[1,"'])(
    "%j is none",
    (text) => {
      expect(() => itemsOf(text)).toThrow(expect.objectContaining({ code: "MESSAGE_MALFORMED" }));
    },
  );

  it("takes no more than it is told to", () => {
    expect(itemsOf("[1,2,3]", 3)).toHaveLength(3);
    try {
      itemsOf(`[${",".repeat(1_000_000)}`, 3);
      expect.unreachable();
    } catch (error) {
      expect(codeOf(error)).toBe("MESSAGE_TOO_LARGE");
    }
  });
});
