import { afterEach, expect, it, vi } from "vitest";
import { stderrLines } from "../process/stderr.js";
import { createLogger } from "./log.js";

const written: string[] = [];
vi.spyOn(stderrLines, "write").mockImplementation((line) => void written.push(line));
afterEach(() => written.splice(0));

const logger = (format: "json" | "pretty", level = "info") =>
  createLogger({ level, format, secrets: ["KEY"] });

it("a line has the words that the contract promises", () => {
  const failure = Object.assign(new Error("no room"), { code: "53100" });
  const service = logger("json").child({ service: "wallet-service" });
  service.error({ trace_id: "0af7651916cd43dd8448eb211c80319c", err: failure }, "a debit failed");
  const line = JSON.parse(written[0] ?? "");
  expect(line).toEqual({
    level: "error",
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    pid: process.pid,
    service: "wallet-service",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    message: "a debit failed",
    error: expect.objectContaining({ type: "Error", message: "no room", code: "53100" }),
  });
  expect(written).toHaveLength(1);
  expect(written[0]).toMatch(/^[^\n]*\n$/);
});

it("shows no secret", () => {
  logger("json").info({ KEY: "s3cret", settings: { KEY: "s3cret" } }, "settings");
  expect(written.join()).not.toContain("s3cret");
});

it("is readable on a terminal: time, level, message, and an error with its stack", () => {
  logger("pretty").warn({ error: new Error("no room") }, "a debit failed");
  expect(written.join()).toMatch(/^\[?\d\d:\d\d:\d\d\]? .*WARN.*a debit failed[\s\S]*Error: no room\n +at /);
  expect(written.join()).not.toMatch(/timestamp/);
});
