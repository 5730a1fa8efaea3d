import { expect, it } from "vitest";
import { etagOf, requireMatch } from "./precondition.js";

const matches = (header: string | undefined) => {
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
  expect(matches(header)).toBe(holds);
});
