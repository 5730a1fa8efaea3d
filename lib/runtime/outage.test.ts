import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import type { Logger } from "../observability/log.js";
import { Breaker, serverAway } from "./outage.js";

it.each([
  ["RABBITMQ_UNREACHABLE", "RabbitMQ"],
  ["NOT_RABBITMQ", "RabbitMQ"],
  ["PUBLISH_TIMEOUT", "RabbitMQ"],
  ["POSTGRES_UNREACHABLE", "PostgreSQL"],
  ["53100", "PostgreSQL"],
  ["ECONNREFUSED", "PostgreSQL"],
])("%s tells of %s", (code, server) => {
  expect(serverAway(code)).toBe(server);
});

it("names the server that answers again, and lets go of whoever has lost patience", async () => {
  const lines: string[] = [];
  const logger = { info: (_: object, line: string) => lines.push(line) } as unknown as Logger;
  let away = true;
  const probe = async () => {
    if (away) {
      throw new Error("away");
    }
  };
  const stopping = new AbortController().signal;
  const breaker = new Breaker({ server: "RabbitMQ", probe, logger, stopping });
  const signal = new AbortController();
  const impatient = breaker.recovered(signal.signal);
  const patient = breaker.recovered();
  const lasting = new AbortController().signal;
  const halted = breaker.recovered(lasting);
  signal.abort();
  await impatient;
  expect(breaker.open).toBe(true);
  away = false;
  await Promise.all([patient, halted]);
  expect(getEventListeners(lasting, "abort")).toEqual([]);
  expect(breaker.open).toBe(false);
  expect(lines).toEqual(["RabbitMQ answers; going on"]);
});
