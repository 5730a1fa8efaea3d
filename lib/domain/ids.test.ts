import fc from "fast-check";
import { v5, validate, version } from "uuid";
import { afterEach, expect, it, vi } from "vitest";
import { derivedId, newId } from "./ids.js";

afterEach(() => {
  vi.useRealTimers();
});

it("makes UUIDv7s, each above the one before, also within a millisecond and when the clock goes back", () => {
  const began = Date.now() + 60_000; // later than any of before
  vi.useFakeTimers({ now: began });
  const ids = Array.from({ length: 10_000 }, newId);
  vi.setSystemTime(began - 60_000);
  ids.push(newId());
  vi.setSystemTime(began + 60_000);
  ids.push(newId());
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  const msOf = (id = "") => Number.parseInt(id.replace("-", "").slice(0, 12), 16) - began;
  expect([0, 9_999, 10_000, 10_001].map((at) => msOf(ids[at]))).toEqual([0, 0, 0, 60_000]);
});

it("a derived id is the UUIDv5 of what it follows from", () => {
  const namespace = "c2c5e3b4-3a58-4d0e-9a7e-6f0f5b8a4e10";
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (cause, purpose) => {
      expect(derivedId(cause, purpose)).toBe(v5(`${purpose} ${cause}`, namespace));
    }),
    { numRuns: 1_000 },
  );
});
