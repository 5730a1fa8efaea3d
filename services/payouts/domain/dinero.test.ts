import { expect, test } from "vitest";
import { dineroOf, MOST_MINOR } from "./dinero.js";

test.each([
  ["100.50", "USD", 10_050n],
  ["1", "EUR", 100n],
  ["0.01", "COP", 1n],
  ["9999999999999.99", "COP", 999_999_999_999_999n],
  ["10000000000000", "USD", MOST_MINOR],
] as const)("%s %s is %s minor units", (text, moneda, monto) => {
  expect(dineroOf(text, moneda)).toEqual({ monto, moneda });
});

test.each([
  ["1", "GBP", "MONEDA_REFUSED"],
  ["1", "usd", "MONEDA_REFUSED"],
  ["1", "__proto__", "MONEDA_REFUSED"],
  ["0", "USD", "AMOUNT_INVALID"],
  ["-1", "USD", "AMOUNT_INVALID"],
  ["1.001", "COP", "AMOUNT_INVALID"],
  ["10000000000000.01", "USD", "AMOUNT_INVALID"],
  ["1e3", "USD", "AMOUNT_INVALID"],
])("%s %s is refused: %s", (text, moneda, code) => {
  expect(() => dineroOf(text, moneda)).toThrow(expect.objectContaining({ code }));
});

test("the largest is exact as a number of JSON", () => {
  expect(BigInt(Number(MOST_MINOR - 1n))).toBe(MOST_MINOR - 1n);
});
