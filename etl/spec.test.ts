import { describe, expect, it } from "vitest";
import { PlatformError } from "../lib/errors.js";
import { baseSettings } from "../lib/settings/base.js";
import { loadSettings } from "../lib/settings/settings.js";
import { defaultSpec } from "./runs/default_spec.js";
import { etlSettings } from "./settings.js";
import { parseSpec } from "./spec.js";

const valid = {
  rows: 1_000,
  seed: 1,
  fromOn: "2025-01-01",
  toOn: "2025-02-01",
  dirtRate: 0.01,
  fraudRate: 0.002,
  fraudDifficulty: "medium",
  chunkRows: 250,
};

function refusal(input: unknown): string {
  try {
    parseSpec(input);
  } catch (error) {
    if (error instanceof PlatformError && error.code === "SPEC_INVALID") {
      return error.message;
    }
    throw error;
  }
  return "accepted";
}

describe("parseSpec", () => {
  it.each<Partial<typeof valid>>([
    {},
    { rows: 0 },
    { rows: 1e11, chunkRows: 1_000 },
    { seed: 0, dirtRate: 0, fraudRate: 0, chunkRows: 1 },
    { seed: 4_294_967_295, dirtRate: 1, fraudRate: 1, chunkRows: 1_000_000 },
    { fromOn: "2024-02-29", toOn: "2024-03-01" },
    { fromOn: "1975-01-01", toOn: "2095-01-01" },
  ])("takes %o", (changes) => {
    expect(parseSpec({ ...valid, ...changes })).toEqual({ ...valid, ...changes });
  });

  it.each([
    [{ rows: -1 }, "rows: rows must not be negative"],
    [{ rows: 1e11 + 1 }, "rows: rows must not exceed 10^11"],
    [{ rows: 0.5 }, "rows: "],
    [{ rows: "1000" }, "rows: "],
    [{ rows: Number.NaN }, "rows: "],
    [{ seed: -1 }, "seed: "],
    [{ seed: 2 ** 32 }, "seed: "],
    [{ dirtRate: -0.1 }, "dirtRate: dirt rate must lie in 0..1"],
    [{ dirtRate: 1.1 }, "dirtRate: dirt rate must lie in 0..1"],
    [{ fraudRate: Number.POSITIVE_INFINITY }, "fraudRate: "],
    [{ fraudRate: 2 }, "fraudRate: fraud rate must lie in 0..1"],
    [{ fraudDifficulty: "Hard" }, "fraudDifficulty: fraud difficulty must be one of easy, medium, hard"],
    [{ fraudDifficulty: undefined }, "fraudDifficulty: fraud difficulty must be one of easy, medium, hard"],
    [{ chunkRows: 0 }, "chunkRows: "],
    [{ chunkRows: 1_000_001 }, "chunkRows: "],
    [{ fromOn: "2025-02-01" }, "from must be before to"],
    [{ fromOn: "2025-03-01" }, "from must be before to"],
    [{ fromOn: "2025-02-29" }, "fromOn: "],
    [{ toOn: "2025-2-1" }, "toOn: "],
    [{ toOn: "2025-02-01T00:00:00Z" }, "toOn: "],
    [{ fromOn: "1974-12-31" }, "the window must lie in 1975..2094"],
    [{ toOn: "2095-01-02" }, "the window must lie in 1975..2094"],
    [{ rows: 1e11, chunkRows: 999 }, "raise the chunk size"],
    [{ tables: 1 }, "tables"],
    [{ chunkRows: undefined }, "chunkRows: "],
  ])("refuses %o", (changes, problem) => {
    expect(refusal({ ...valid, ...changes })).toContain(problem);
  });

  it.each([null, undefined, 7, "stage", [], {}])("refuses %o as a whole", (input) => {
    expect(refusal(input)).not.toBe("accepted");
  });

  it("names everything that is wrong at once", () => {
    const text = refusal({ ...valid, rows: -1, seed: -1, fromOn: "x" });
    for (const name of ["rows", "seed", "fromOn"]) {
      expect(text).toContain(name);
    }
    const whole = refusal({ ...valid, rows: 1e11, fromOn: "1970-01-01", toOn: "1960-01-01" });
    for (const part of ["from must be before", "chunk size", "1975"]) {
      expect(whole).toContain(part);
    }
  });
});

describe("defaultSpec", () => {
  const settings = loadSettings([etlSettings, baseSettings], {
    env: { STAGE_TARGET_TXN: "5000", STAGE_SEED: "9" },
    envFile: "/nowhere",
  });

  it("is what the settings say", () => {
    expect(defaultSpec(settings)).toEqual({
      rows: 5_000,
      seed: 9,
      fromOn: "2025-01-01",
      toOn: "2026-01-01",
      dirtRate: 0.01,
      fraudRate: 0.002,
      fraudDifficulty: "medium",
      chunkRows: 250_000,
    });
  });

  it("lets flags replace them, and checks the result", () => {
    expect(defaultSpec(settings, { rows: 7, toOn: "2025-01-02" })).toMatchObject({
      rows: 7,
      toOn: "2025-01-02",
      seed: 9,
    });
    expect(() => defaultSpec(settings, { fromOn: "2027-01-01" })).toThrow("from must be before to");
  });
});
