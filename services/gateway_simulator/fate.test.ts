import { expect, test } from "vitest";
import { noticeFate, payoutFate, requestFate } from "./fate.js";

const odds = { seed: 1, failureRate: 0.1, returnRate: 0.01, repeatRate: 0.1 };
const KEYS = Array.from({ length: 5_000 }, (_, i) => `key-${i}`);
const share = (is: (key: string) => boolean) => KEYS.filter(is).length / KEYS.length;

test("the same seed has the same fate for a key, another one another", () => {
  const fates = (seed: number) => KEYS.slice(0, 500).map((key) => requestFate({ ...odds, seed }, key, 1));
  expect(fates(1)).toEqual(fates(1));
  expect(fates(1)).not.toEqual(fates(2));
});

test("a tenth of the requests goes wrong, in every way that there is", () => {
  expect(share((key) => requestFate(odds, key, 1) !== "served")).toBeCloseTo(0.1, 1.7);
  expect(new Set(KEYS.map((key) => requestFate(odds, key, 1))).size).toBe(8);
  expect(share((key) => requestFate({ ...odds, failureRate: 0 }, key, 1) === "served")).toBe(1);
});

test("what was not looked at may be served the next time", () => {
  const busy = KEYS.filter((key) => requestFate(odds, key, 1) === "busy");
  expect(busy.some((key) => requestFate(odds, key, 2) === "served")).toBe(true);
});

test("some payouts fail, some come back, the others are paid", () => {
  expect(share((id) => payoutFate(odds, id).kind === "failed")).toBeCloseTo(0.02, 1.9);
  expect(share((id) => payoutFate(odds, id).kind === "returned")).toBeCloseTo(0.01, 1.9);
});

test("some webhooks come late, twice or never", () => {
  expect(share((id) => noticeFate(odds, id).delayMs > 0)).toBeCloseTo(0.1, 1.7);
  expect(share((id) => noticeFate(odds, id).againAfterMs !== undefined)).toBeCloseTo(0.1, 1.7);
  expect(share((id) => noticeFate(odds, id).lost)).toBeCloseTo(0.01, 1.9);
});
