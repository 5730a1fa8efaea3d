import { expect, it } from "vitest";
import { readKey } from "./idempotency_key.js";

it.each([
  ["a", "a"],
  ["6f1c2b1e-6f7e-4a55-9a55-0d1f6f1c2b1e", "6f1c2b1e-6f7e-4a55-9a55-0d1f6f1c2b1e"],
  ['"quoted"', "quoted"],
  ["Case", "Case"],
  ["a,b", "a,b"],
  ["x".repeat(255), "x".repeat(255)],
  [`"${"x".repeat(255)}"`, "x".repeat(255)],
])("%s is the key %s", (header, key) => {
  expect(readKey(header, "required")).toBe(key);
});

it.each([
  ["blank", ""],
  ["blank in quotes", '""'],
  ["a blank in quotes", '" "'],
  ["two headers, as Node joins them", "a, b"],
  ["two quoted headers", '"a", "a"'],
  ["a list", '"a","b"'],
  ["a quote that does not end", '"a'],
  ["one quote", '"'],
  ["more after the quote", '"a"b'],
  ["not ASCII", "ä"],
  ["not visible", "a\tb"],
  ["too long", "x".repeat(256)],
  ["too long in quotes", `"${"x".repeat(256)}"`],
])("%s is refused", (_, header) => {
  const refused = expect.objectContaining({
    code: "IDEMPOTENCY_KEY_INVALID",
    field: { in: "header", pointer: "#/idempotency-key" },
  });
  expect(() => readKey(header, "optional")).toThrow(refused);
});

it("may be missing where it is optional only", () => {
  expect(readKey(undefined, "optional")).toBeUndefined();
  expect(() => readKey(undefined, "required")).toThrow(
    expect.objectContaining({ code: "IDEMPOTENCY_KEY_INVALID" }),
  );
});
