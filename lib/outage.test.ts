import { expect, it } from "vitest";
import { serverAway } from "./outage.js";

it.each([
  ["RABBITMQ_UNREACHABLE", "RabbitMQ"],
  ["PUBLISH_TIMEOUT", "RabbitMQ"],
  ["POSTGRES_UNREACHABLE", "PostgreSQL"],
  ["53100", "PostgreSQL"],
  ["ECONNREFUSED", "PostgreSQL"],
])("%s tells of %s", (code, server) => {
  expect(serverAway(code)).toBe(server);
});
