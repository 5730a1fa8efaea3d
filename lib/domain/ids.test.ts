import fc from "fast-check";
import { v5 } from "uuid";
import { expect, it } from "vitest";
import { derivedId } from "./ids.js";

it("a derived id is the UUIDv5 of what it follows from", () => {
  const namespace = "c2c5e3b4-3a58-4d0e-9a7e-6f0f5b8a4e10";
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (cause, purpose) => {
      expect(derivedId(cause, purpose)).toBe(v5(`${purpose} ${cause}`, namespace));
    }),
    { numRuns: 1_000 },
  );
});
