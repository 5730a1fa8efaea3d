import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCount, formatSeconds, formatTable } from "./table.js";

describe("formatTable", () => {
  it("pads columns, numbers to the right", () => {
    const table = formatTable(
      ["run", "rows", "note"],
      [
        ["r1", 1_234_567, "first"],
        ["r20", 5, ""],
      ],
    );
    expect(table.split("\n")).toEqual([
      "run       rows  note",
      "---  ---------  -----",
      "r1   1,234,567  first",
      "r20          5",
    ]);
  });

  it("shows a header over nothing", () => {
    expect(formatTable(["run", "rows"], [])).toBe("run  rows\n---  ----");
  });

  it("keeps every cell at its column, whatever is in it", () => {
    const cell = fc.oneof(fc.integer(), fc.stringMatching(/^[a-z ]{0,12}$/));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 6 }), (rows) => {
        const [header = "", rule = "", ...lines] = formatTable(["a", "bb", "ccc"], rows).split("\n");
        expect(lines).toHaveLength(rows.length);
        const width = rule.length;
        for (const line of [header, ...lines]) {
          expect(line.length).toBeLessThanOrEqual(width);
          for (const gap of [...rule.matchAll(/ {2}/g)]) {
            expect(line.slice(gap.index, gap.index + 2).trim()).toBe("");
          }
        }
      }),
    );
  });
});

it.each([
  [0, "0"],
  [1_234_567.84, "1,234,567.8"],
  [-1_000, "-1,000"],
])("formatCount(%d) is %s", (value, text) => {
  expect(formatCount(value)).toBe(text);
});

it.each([
  [0, "0s"],
  [59.4, "59s"],
  [59.6, "1m00s"],
  [75, "1m15s"],
  [3_599.5, "1h00m"],
  [3_660, "1h01m"],
  [90_000, "25h00m"],
])("formatSeconds(%d) is %s", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});
