import { describe, expect, it } from "vitest";
import { codeLabel, Metrics } from "./metrics.js";

/** Units, as Prometheus wants them: base units, last in the name, `_total` on counters. */
const UNITLESS = /^payments_(build_info|messages_in_flight|worker_slots|breaker_open|broker_up)$/;

describe("metrics", () => {
  it("have names with units, help, and no two the same", async () => {
    for (const metric of await new Metrics().registry.getMetricsAsJSON()) {
      expect(metric.help.length).toBeGreaterThan(10);
      if (UNITLESS.test(metric.name)) continue;
      const type = String(metric.type);
      if (type === "counter") expect(metric.name).toMatch(/^payments_[a-z_]+_total$/);
      else expect(metric.name).toMatch(/^payments_[a-z_]+_(seconds|bytes|ratio)$/);
    }
  });

  it("of two processes in one do not mix", async () => {
    const [one, two] = [new Metrics(), new Metrics()];
    one.rowsStaged.inc(5);
    expect(await one.registry.metrics()).toContain("payments_rows_staged_total 5");
    expect(await two.registry.metrics()).toContain("payments_rows_staged_total 0");
  });

  it("ask for a gauge's value when they are scraped", async () => {
    const metrics = new Metrics();
    let open = 0;
    Metrics.onScrape(metrics.breakerOpen, () => open);
    expect(await metrics.registry.metrics()).toContain("payments_breaker_open 0");
    open = 1;
    expect(await metrics.registry.metrics()).toContain("payments_breaker_open 1");
  });
});

describe("codes as labels", () => {
  it.each([
    ["RUN_UNKNOWN", "RUN_UNKNOWN"],
    ["53100", "SQLSTATE_53"],
    ["57P01", "SQLSTATE_57"],
    ["ECONNREFUSED", "NETWORK"],
    ["406", "OTHER"],
    ["whatever a caller wrote", "OTHER"],
    ["", "OTHER"],
  ])("%j is %s", (code, label) => {
    expect(codeLabel(code)).toBe(label);
  });

  it("stay few, whatever comes", () => {
    const labels = new Set(Array.from({ length: 5_000 }, (_, i) => codeLabel(`code-${i}`)));
    expect(labels.size).toBe(1);
  });
});
