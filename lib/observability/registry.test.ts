import { totalmem } from "node:os";
import { describe, expect, it } from "vitest";
import { codeLabelOf } from "./message_metrics.js";
import { counter, createRegistry, gauge, onScrape, register, seriesOnScrape } from "./registry.js";

const DECLARED = {
  rows: counter("payments_rows_total", "Rows of a test"),
  open: gauge("payments_open", "1 while open"),
};

describe("metrics", () => {
  it("of two processes in one do not mix", async () => {
    const [one, two] = [createRegistry(), createRegistry()];
    register(one, DECLARED).rows.inc(5);
    register(two, DECLARED);
    expect(await one.metrics()).toContain("payments_rows_total 5");
    expect(await two.metrics()).toContain("payments_rows_total 0");
  });

  it("ask for a gauge's value when they are scraped", async () => {
    const registry = createRegistry();
    let open = 0;
    onScrape(register(registry, DECLARED).open, () => open);
    expect(await registry.metrics()).toContain("payments_open 0");
    open = 1;
    expect(await registry.metrics()).toContain("payments_open 1");
  });

  it("of one name are refused in one registry", () => {
    const registry = createRegistry();
    register(registry, DECLARED);
    expect(() => register(registry, { other: counter("payments_rows_total", "Again") })).toThrow(
      "payments_rows_total",
    );
  });
});

it("a value that several modules of a process know is made of theirs", async () => {
  const registry = createRegistry();
  const { open } = register(registry, { open: gauge("payments_open", "1 while open") });
  const states = [1, 0];
  for (const i of [0, 1]) {
    onScrape(open, () => states[i] ?? 0, Math.min);
  }
  expect(await registry.metrics()).toContain("payments_open 0");
  states[1] = 1;
  expect(await registry.metrics()).toContain("payments_open 1");
});

describe("codes as labels", () => {
  const codeLabel = codeLabelOf(["RUN_UNKNOWN"]);

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

it("a gauge with labels has the series of all who list theirs, and none of yesterday", async () => {
  const registry = createRegistry();
  const { open } = register(registry, { open: gauge("payments_open", "Open ones", "service") });
  const counts = new Map([["a", 1]]);
  seriesOnScrape(open, () => [...counts].map(([service, count]) => [{ service }, count]));
  seriesOnScrape(open, () => [[{ service: "z" }, 9]]);
  const shown = async () => [...(await registry.metrics()).matchAll(/^payments_open\{.*$/gm)].map(String);
  expect(await shown()).toEqual(['payments_open{service="a"} 1', 'payments_open{service="z"} 9']);
  counts.clear();
  expect(await shown()).toEqual(['payments_open{service="z"} 9']);
});

it("the memory that a process may use is known, with a container's limit or without", async () => {
  const text = await createRegistry().metrics();
  const [, limit] = /^payments_memory_limit_bytes (\d+)$/m.exec(text) ?? [];
  expect(Number(limit)).toBeGreaterThan(10_000_000);
  expect(Number(limit)).toBeLessThanOrEqual(totalmem());
});
