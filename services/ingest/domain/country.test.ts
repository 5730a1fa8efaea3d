import { expect, it } from "vitest";
import { CURRENCY_CODES } from "../../../lib/domain/money.js";
import { countryOf } from "./country.js";
import { currencyOf } from "./currency.js";

it.each([
  ["co", "CO"],
  ["COL", "CO"],
  ["170", "CO"],
  ["76", "BR"],
  ["México", "MX"],
  ["MEXICO", "MX"],
  ["Perú", "PE"],
  ["Peru", "PE"],
  ["Brasil", "BR"],
  ["Deutschland", "DE"],
  ["Estados Unidos", "US"],
  ["U.S.A.", "US"],
  ["N/A", undefined],
  ["", undefined],
  ["Atlantis", undefined],
])("%s is the country %s", (text, code) => {
  expect(countryOf(text)).toBe(code);
});

it.each([
  ["usd", "USD"],
  [" EUR ", "EUR"],
  ["978", "EUR"],
  ["32", "ARS"],
  ["US$", undefined],
  ["XXX", undefined],
  ["", undefined],
  ["999", undefined],
])("%s is the currency %s", (text, code) => {
  expect(currencyOf(text)).toBe(code);
});

it("each currency has a number of its own", () => {
  const found = Array.from({ length: 1_000 }, (_, number) => currencyOf(String(number).padStart(3, "0")));
  expect(found.filter((code) => code !== undefined).sort()).toEqual(CURRENCY_CODES);
});
