import { expect, it } from "vitest";
import { specOf } from "./run_spec.js";

it("leaves out what is empty, and reads numbers as they are written", () => {
  expect(specOf({ rows: " 1,000,000 ", seed: "", from: "2025-01-01", dirt_rate: "0.01" })).toEqual({
    rows: 1_000_000,
    from: "2025-01-01",
    dirt_rate: 0.01,
  });
});

it("leaves what is no number to the server to refuse", () => {
  expect(specOf({ rows: "1e5", seed: "-1", fraud_rate: "Infinity" })).toEqual({
    rows: "1e5",
    seed: "-1",
    fraud_rate: "Infinity",
  });
});
