import { describe, expect, it } from "vitest";
import {
  bytesText,
  counted,
  durationText,
  grouped,
  instantText,
  measureText,
  moneyText,
  shareText,
} from "./text.js";

describe("grouped", () => {
  it.each([
    ["0", "0"],
    ["999", "999"],
    ["1000", "1,000"],
    ["-1234567.80", "-1,234,567.80"],
    ["9007199254740993", "9,007,199,254,740,993"],
    ["1970670598291982290.000000000000000001", "1,970,670,598,291,982,290.000000000000000001"],
    ["1e400", "1e400"],
    ["<b>1</b>", "<b>1</b>"],
    ["", ""],
  ])("%s → %s", (digits, text) => {
    expect(grouped(digits)).toBe(text);
  });
});

it("moneyText keeps every digit of the currency", () => {
  expect(moneyText("90071992547409.93", "USD")).toBe("90,071,992,547,409.93 USD");
  expect(moneyText("100", "JPY")).toBe("100 JPY");
});

it("instantText cuts fractions, not the second", () => {
  expect(instantText("2026-11-27T00:53:15.999999Z")).toBe("2026-11-27 00:53:15");
});

describe("durationText", () => {
  it.each([
    [0, "0 ms"],
    [0.25, "250 ms"],
    [1, "1 s"],
    [59.6, "1 min"],
    [75, "1 min 15 s"],
    [3_600, "1 h"],
    [3_605, "1 h 0 min"],
    [90_061, "1 d 1 h"],
  ])("%d s → %s", (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});

describe("bytesText", () => {
  it.each([
    [0, "0 B"],
    [1_023, "1023 B"],
    [1_536, "1.5 kB"],
    [1_024 ** 3 * 250, "250 GB"],
    [1_024 ** 5, "1024 TB"],
  ])("%d → %s", (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});

it("measures, shares and counts are as short as they are read", () => {
  expect([0, 0.1234, 45.64, 1_234.5].map(measureText)).toEqual(["0", "0.123", "45.6", "1,235"]);
  expect(shareText(0.97123)).toBe("97.1 %");
  expect([0, 1, 1_200].map((n) => counted(n, "letter"))).toEqual(["0 letters", "1 letter", "1,200 letters"]);
});
