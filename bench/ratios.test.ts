import { describe, expect, it } from "vitest";
import { type Figure, renderLoad, spreadOf, type Variant, variantsOf, verdictsOf } from "./ratios.js";

const figure = (round: number, variant: Variant, rate: number, peakMb?: number): Figure => ({
  round,
  variant,
  rows: rate * 10,
  seconds: 10,
  ...(peakMb === undefined ? {} : { peakMb }),
});

describe("verdictsOf", () => {
  it("takes each ratio within its round, then the median", () => {
    const figures = [
      figure(1, "pipeline", 300),
      figure(1, "psql", 100),
      figure(2, "pipeline", 100),
      figure(2, "psql", 50),
      figure(3, "pipeline", 240),
      figure(3, "psql", 120),
    ];
    // The medians of the rates would give 240 / 100; within the rounds it is 3, 2 and 2.
    expect(verdictsOf(["R1"], figures)).toMatchObject([{ median: 2, min: 2, max: 3, ok: false }]);
    expect(verdictsOf(["R1"], figures.slice(0, 2))).toMatchObject([{ median: 3, ok: true }]);
  });

  it("leaves out a round that lacks a side, and a ratio without any", () => {
    const figures = [figure(1, "pipeline", 110), figure(1, "same", 100), figure(2, "pipeline", 10)];
    expect(verdictsOf(["R2", "R4"], figures)).toMatchObject([
      { name: "R2", median: 1.1, max: 1.1, ok: true },
    ]);
  });

  it("wants memory to stay, and to stay small", () => {
    const figures = [figure(1, "large", 100, 230), figure(1, "small", 100, 200)];
    const ok = (all: readonly Figure[]) => verdictsOf(["R6"], all).map((verdict) => verdict.ok);
    expect(ok(figures)).toEqual([true, true]);
    expect(ok([figure(1, "large", 100, 231), figure(1, "small", 100, 200)])).toEqual([false, true]);
    expect(ok([figure(1, "large", 100, 401), figure(1, "small", 100, 390)])).toEqual([true, false]);
  });
});

it("variantsOf measures only what the ratios need, each once", () => {
  expect(variantsOf(["R1", "R2"])).toEqual(["pipeline", "psql", "same"]);
  expect(variantsOf(["R4"])).toEqual(["stage", "python"]);
  expect(variantsOf(["R5", "R6"])).toEqual(["large", "small"]);
});

it("spreadOf takes the middle of an even number between its two middle values", () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spreadOf([10, 9, 100])).toEqual({ median: 10, min: 9, max: 100 });
});

it("renderLoad says which target is missed, and on which side", () => {
  const figures = [figure(1, "large", 10, 500), figure(1, "small", 100, 100)];
  const lines = renderLoad(["R5", "R6"], figures).split("\n");
  expect(lines.find((line) => line.startsWith("R5"))).toMatch(/0\.10 .*>= 0\.9 +BELOW$/);
  expect(lines.find((line) => line.startsWith("R6"))).toMatch(/5\.00 .*<= 1\.15 +ABOVE$/);
});
