import fc from "fast-check";
import { v5 } from "uuid";
import { expect, it } from "vitest";
import { derivedId } from "./ids.js";

it("derives the UUIDv5 of purpose and cause, whatever they are", () => {
  const texts = fc.string({ unit: "grapheme", maxLength: 400 });
  fc.assert(
    fc.property(texts, texts, (cause, purpose) => {
      const expected = v5(`${purpose} ${cause}`, "c2c5e3b4-3a58-4d0e-9a7e-6f0f5b8a4e10");
      expect(derivedId(cause, purpose)).toBe(expected);
    }),
  );
});
