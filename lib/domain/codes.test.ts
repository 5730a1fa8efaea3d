import { expect, it } from "vitest";
import { CHANNELS, CURRENCIES, KINDS, NETWORKS, RESPONSE_CODES, STATUSES } from "./codes.js";

it.each([
  ["currencies", CURRENCIES, /^[A-Z]{3}$/],
  ["kinds", KINDS, /^[a-z]+$/],
  ["channels", CHANNELS, /^[a-z]+$/],
  ["networks", NETWORKS, /^[a-z]+$/],
  ["statuses", STATUSES, /^[a-z]+$/],
  ["response codes", RESPONSE_CODES, /^[0-9]{2}$/],
])("%s are distinct and in the case that clean repairs to", (_, codes, form) => {
  expect(new Set<string>(codes).size).toBe(codes.length);
  expect(codes.filter((code) => !form.test(code))).toEqual([]);
});
