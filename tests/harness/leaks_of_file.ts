import { afterAll } from "vitest";
import { openSockets, requireNothingLeft, runningChildren } from "./leaks.js";

/** Runs in every file on servers, after its own hooks. */
const ports = {
  [Number(process.env["POSTGRES_PORT"])]: "PostgreSQL",
  [Number(process.env["RABBITMQ_PORT"])]: "RabbitMQ",
};

afterAll(() =>
  requireNothingLeft(() => [
    ...runningChildren(),
    ...openSockets(ports).map(
      ({ localPort, remotePort = 0 }) => `connection from port ${localPort} to ${ports[remotePort]}`,
    ),
  ]),
);
