import { describe, expect, it } from "vitest";
import type { Leaf } from "./leaves.js";
import { unitEvidence } from "./unit.js";

const leaf = (path: string, text: string): Leaf => ({ path, type: "text", text });
const evidence = (
  path: string,
  text: string,
  others: Readonly<Record<string, string>> = {},
  minorDigits = 2,
) =>
  unitEvidence([
    {
      amount: leaf(path, text),
      minorDigits,
      leaves: new Map(
        Object.entries({ ...others, [path]: text }).map(([at, value]) => [at, leaf(at, value)]),
      ),
    },
  ]).map(({ unit, by }) => `${unit} by ${by}`);

describe("evidence of a unit", () => {
  it.each([
    ["/amount_in_cents", "5000", {}, ["minor by name"]],
    ["/importeCentimos", "5000", {}, ["minor by name"]],
    ["/amount/minor", "5000", {}, ["minor by name"]],
    ["/amount", "50.01", {}, ["major by point"]],
    ["/importe/valor", "1.540,50", {}, ["major by point"]],
    ["/amount", "5000", { "/amount_decimal": "50.00" }, ["minor by second field"]],
    ["/amount", "-50.00", { "/total": "-5000" }, ["major by second field"]],
  ])("%s %s %o: %o", (path, text, others, expected) => {
    expect(evidence(path, text, others)).toEqual(expected);
  });

  it.each([
    ["a whole number", "/amount", "5000", {}],
    ["a point that may set thousands apart", "/amount", "1.234", {}],
    ["a fraction of nothing, as some write cents", "/amount", "5000.00", {}],
    ["a fee of one per cent", "/amount", "5000", { "/fee": "50.00" }],
    ["another amount", "/amount", "5000", { "/total": "50.01" }],
    ["two zeros", "/amount", "0", { "/total": "0.00" }],
    ["the name of an object further out", "/cents/data/amount", "5000", {}],
  ])("%s is none", (_, path, text, others) => {
    expect(evidence(path, text, others)).toEqual([]);
  });

  it("a currency without minor digits has none in a second field", () => {
    expect(evidence("/amount", "5000", { "/total": "5000" }, 0)).toEqual([]);
  });

  const pairs = (amounts: readonly (readonly [string, string])[], other = "/unit_amount") =>
    unitEvidence(
      amounts.map(([text, beside]) => ({
        amount: leaf("/amount", text),
        minorDigits: 2,
        leaves: new Map([[other, leaf(other, beside)]]),
      })),
    );

  it("a second field proves it with five different amounts, and by one that differs nothing", () => {
    const agreeing = ["5000", "1250", "99", "100", "7", "7"].map(
      (text) => [text, (Number(text) / 100).toFixed(2)] as const,
    );
    expect(pairs(agreeing)).toEqual([{ unit: "minor", by: "second field", proves: true }]);
    expect(pairs(agreeing.slice(1))).toMatchObject([{ unit: "minor", proves: false }]);
    expect(pairs([...agreeing, ["200", "100.00"]])).toEqual([]);
  });

  it("hundredths of a currency that has none are minor", () => {
    expect(evidence("/amount", "1299000", { "/amount_decimal": "12990.00" }, 0)).toEqual([
      "minor by second field",
    ]);
  });

  it("that contradicts itself is told whole", () => {
    expect(evidence("/amount_cents", "12.50")).toEqual(["minor by name", "major by point"]);
  });
});
