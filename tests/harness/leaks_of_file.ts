import { afterAll } from "vitest";
import { endLeft, openSockets, requireNothingLeft, runningChildren } from "./leaks.js";

/** Runs in every file on servers, after its own hooks. */
const ports = {
  [Number(process.env["POSTGRES_PORT"])]: "PostgreSQL",
  [Number(process.env["RABBITMQ_PORT"])]: "RabbitMQ",
};

const left = () => [
  ...runningChildren(),
  ...openSockets(ports).map(
    ({ localPort, remotePort = 0 }) => `connection from port ${localPort} to ${ports[remotePort]}`,
  ),
];

// Of this file, under whose name it is reported: those before it have left nothing.
afterAll(() => requireNothingLeft(left).finally(() => endLeft(ports)));
