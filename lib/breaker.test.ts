import { expect, it } from "vitest";
import type { Logger } from "./observability/log.js";
import { Breaker } from "./runtime/outage.js";

it("names the server that answers again, and lets go of whoever has lost patience", async () => {
  const lines: string[] = [];
  const logger = { info: (_: object, line: string) => lines.push(line) } as unknown as Logger;
  let away = true;
  const probe = async () => {
    if (away) throw new Error("away");
  };
  const breaker = new Breaker("RabbitMQ", probe, logger, new AbortController().signal);
  const patience = new AbortController();
  const impatient = breaker.recovered(patience.signal);
  const patient = breaker.recovered();
  patience.abort();
  await impatient;
  expect(breaker.open).toBe(true);
  away = false;
  await patient;
  expect(breaker.open).toBe(false);
  expect(lines).toEqual(["RabbitMQ answers; going on"]);
});
