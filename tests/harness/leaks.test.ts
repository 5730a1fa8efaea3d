import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { start } from "../../lib/process/run.js";
import { endLeft, openSockets, requireNothingLeft, runningChildren, trackChild } from "./leaks.js";

test("what is left behind is told, and ended so that nobody else is blamed", async () => {
  const child = start([process.execPath, "-e", "setInterval(() => undefined, 1_000)"]);
  trackChild(child, "a process");
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const ports = { [port]: "a server" };

  expect(runningChildren()).toEqual([`process ${child.pid}: a process`]);
  expect(openSockets(ports)).toEqual([socket]);
  endLeft(ports);
  expect(runningChildren()).toEqual([]);
  expect(openSockets(ports)).toEqual([]);
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
});

test("nothing left is no error", async () => {
  await requireNothingLeft(() => []);
});
