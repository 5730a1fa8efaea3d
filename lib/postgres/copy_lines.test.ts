import { expect, it } from "vitest";
import { copyLine } from "./copy_lines.js";

it("a line has a value of each type, with what would end it or the line escaped", () => {
  const values = ["a\tb", "c\\n\r\n", "", null, 7, 1.5, 2n ** 60n, true, new Date(0)];
  expect(copyLine(values)).toBe(
    "a\\tb\tc\\\\n\\r\\n\t\t\\N\t7\t1.5\t1152921504606846976\ttrue\t1970-01-01T00:00:00.000Z\n",
  );
});
