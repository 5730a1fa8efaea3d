import { expect, it } from "vitest";
import { etagOf, matches, requireMatch } from "./precondition.js";

const passes = (header: string | undefined) => {
  try {
    requireMatch(header === undefined ? {} : { "if-match": header }, etagOf(3));
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "PRECONDITION_FAILED", members: { etag: '"3"' } });
    return false;
  }
};

it.each<[string | undefined, boolean]>([
  [undefined, true],
  ['"3"', true],
  ["*", true],
  ['"1", "3"', true],
  [' "3" ', true],
  ['"2"', false],
  ['W/"3"', false],
  ["3", false],
  ["", false],
  ['"3', false],
  ['"33"', false],
])("If-Match: %s holds for version 3: %s", (header, holds) => {
  expect(passes(header)).toBe(holds);
});

it.each([
  [undefined, false],
  ["", false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['"b",W/"a"', true],
  ["*", true],
  ["a", false],
  ['"b"', false],
])("If-None-Match %s of the tag a: %s", (header, expected) => {
  expect(matches(header, '"a"')).toBe(expected);
});
