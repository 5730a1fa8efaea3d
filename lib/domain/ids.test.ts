import fc from "fast-check";
import { v5, validate, version } from "uuid";
import { afterEach, expect, it, vi } from "vitest";
import { derivedId } from "./ids.js";

afterEach(() => vi.useRealTimers());

it("makes UUIDv7s, each above the one before, also within a millisecond and when the clock goes back", async () => {
  // One of its own: what it makes is a minute ahead.
  vi.resetModules();
  const { newId } = await import("./ids.js");
  const began = Date.now();
  vi.useFakeTimers({ now: began });
  const ids = Array.from({ length: 10_000 }, () => newId());
  vi.setSystemTime(began - 60_000);
  ids.push(newId());
  vi.setSystemTime(began + 60_000);
  ids.push(newId());
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  const timeOf = (id: string | undefined) => Number.parseInt(id?.replace("-", "").slice(0, 12) ?? "", 16);
  expect(timeOf(ids.at(-1))).toBe(began + 60_000);
  // The least of 12 bits are at hand in each millisecond, so 10,000 ids need three of them, or four.
  expect(timeOf(ids[9_999]) - began).toBeLessThanOrEqual(4);
});

it("derives the UUIDv5 of purpose and cause, whatever they are", () => {
  const texts = fc.string({ unit: "grapheme", maxLength: 400 });
  fc.assert(
    fc.property(texts, texts, (cause, purpose) => {
      const expected = v5(`${purpose} ${cause}`, "c2c5e3b4-3a58-4d0e-9a7e-6f0f5b8a4e10");
      expect(derivedId(cause, purpose)).toBe(expected);
    }),
  );
});
