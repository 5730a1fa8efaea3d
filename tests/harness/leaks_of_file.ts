import { relative } from "node:path";
import { afterAll, expect } from "vitest";
import { packageRoot } from "../../lib/root.js";
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

afterAll(async () => {
  const file = relative(packageRoot, expect.getState().testPath ?? "");
  await requireNothingLeft(left, `left behind by ${file}`).finally(() => endLeft(ports));
});
