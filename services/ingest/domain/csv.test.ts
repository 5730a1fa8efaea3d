import { expect, it } from "vitest";
import { parseCsv } from "./csv.js";

const ROWS = [
  { c: "2", "a b": "1" },
  { c: "x\ny", "a b": "3" },
];

it.each(["\n", "\r\n", "\r"])(
  "lines may end with %j, also where a name or a value has a line's end in quotes",
  (end) => {
    for (const name of ["a b", '"a\nb"', '"a\r\nb"', '"a\rb"']) {
      expect(parseCsv([`c;${name}`, "2;1", '"x\ny";3', ""].join(end), false)).toEqual(ROWS);
    }
  },
);
