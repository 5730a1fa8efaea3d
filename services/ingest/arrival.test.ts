import { describe, expect, it } from "vitest";
import { type Arrival, maskedArrival } from "./arrival.js";

const PAN = "4548812049400004";
const brought = (some: Partial<Arrival>) => maskedArrival({ raw: { value: {} }, source: "api", ...some });

describe("what somebody brings", () => {
  it("has no card data in any field", () => {
    const shown = brought({
      raw: { value: { a: PAN } },
      hint: `p ${PAN}`,
      merchant: { name: Buffer.from(PAN).toString("base64"), country: PAN },
    });
    expect(shown).toEqual({
      raw: { value: { a: "454881******0004" } },
      source: "api",
      hint: "p 454881******0004",
      merchant: {
        name: Buffer.from("454881******0004").toString("base64"),
        country: "454881******0004",
      },
    });
  });

  it("has names that PostgreSQL can hold", () => {
    expect(brought({ hint: " Stripe\0\ud83d " }).hint).toBe("stripe");
    expect(brought({ hint: "\0" })).not.toHaveProperty("hint");
    expect(brought({ hint: "cvv=1 ".repeat(42) }).hint?.length).toBeLessThanOrEqual(255);
    expect(brought({ merchant: { name: "\0", country: null } }).merchant).toEqual({
      name: null,
      country: null,
    });
  });
});
