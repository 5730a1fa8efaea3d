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
      others: [leaf(path, text), ...Object.entries(others).map(([at, value]) => leaf(at, value))],
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

  it("that contradicts itself is told whole", () => {
    expect(evidence("/amount_cents", "12.50")).toEqual(["minor by name", "major by point"]);
  });
});
