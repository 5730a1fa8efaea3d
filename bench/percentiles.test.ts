import fc from "fast-check";
import { expect, it } from "vitest";
import { latenciesOf, parseLogLine } from "./percentiles.js";

it("parseLogLine takes latency and script, and passes over transactions without a latency", () => {
  expect(parseLogLine("3 199 2241 1 1175850568 995598")).toEqual({ us: 2_241, script: 1 });
  expect(parseLogLine("3 200 failed 1 1175850568 995598")).toBeUndefined();
  expect(parseLogLine("3 201 skipped 0 1175850568 995598")).toBeUndefined();
  expect(parseLogLine("")).toBeUndefined();
});

it("latenciesOf gives measured values by nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => (100 - i) * 1_000);
  expect(latenciesOf(hundred)).toEqual({ transactions: 100, p50Ms: 50, p95Ms: 95, p99Ms: 99 });
  expect(latenciesOf([7_000])).toEqual({ transactions: 1, p50Ms: 7, p95Ms: 7, p99Ms: 7 });
});

it("at least the percentile's share of the latencies is no longer than it", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 500 }), (us) => {
      const { p95Ms } = latenciesOf(us);
      const within = us.filter((each) => each / 1_000 <= p95Ms).length;
      expect(within).toBeGreaterThanOrEqual(0.95 * us.length);
      expect(us.filter((each) => each / 1_000 < p95Ms).length).toBeLessThan(0.95 * us.length + 1e-9);
    }),
  );
});
