import { expect, it } from "vitest";
import { readRates } from "./rates.js";

const HEAD = "currency,day,usd,source\n";

it("reads rates with a line of names, whatever blanks, marks and line ends there are", () => {
  expect(
    readRates(`\ufeffday, currency ,usd,source\r\n2026-11-20,EUR,1.15,"a bank, somewhere"\r\n\r\n`),
  ).toEqual([{ currency: "EUR", day: "2026-11-20", usd: "1.15", source: "a bank, somewhere" }]);
});

it.each([
  ["", "no rates"],
  [HEAD, "no rates"],
  [`${HEAD}USD,2026-11-20,1,x`, "line 2: currency is USD"],
  [`${HEAD}EUR,2026-11-20,1,x\nXXX,2026-11-20,1,x`, "line 3: currency is no active code"],
  [`${HEAD}EUR,20.11.2026,1,x`, "line 2: day"],
  [`${HEAD}EUR,2026-02-29,1,x`, "line 2: day"],
  [`${HEAD}EUR,2026-11-20,0,x`, "line 2: usd"],
  [`${HEAD}EUR,2026-11-20,"1,15",x`, "line 2: usd"],
  [`${HEAD}EUR,2026-11-20,1e3,x`, "line 2: usd"],
  [`${HEAD}EUR,2026-11-20,1,`, "line 2: source is empty"],
  [`${HEAD}EUR,2026-11-20,1,x\nEUR,2026-11-20,2,x`, "line 3: EUR has a rate"],
  [`${HEAD}EUR,2026-11-20,1`, "no CSV"],
  ["currency,day,usd,source,more\nEUR,2026-11-20,1,x,y", "line 2: the line"],
])("refuses %j", (text, said) => {
  expect(() => readRates(text)).toThrow(said);
});
