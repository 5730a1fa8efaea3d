import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "./eventually.js";
import { TcpProxy } from "./proxy.js";

/** Longer than bytes take on loopback. */
const QUIET_MS = 100;

let server: Server;
let proxy: TcpProxy;
let atServer: Socket[];
let received: string;

/** Answers every piece with its length. */
beforeEach(async () => {
  atServer = [];
  received = "";
  server = createServer((socket) => {
    atServer.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (piece) => {
      received += piece;
      socket.write(`<${piece.length}>`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  proxy = await TcpProxy.open(() => ({ host: "127.0.0.1", port }));
});

afterEach(async () => {
  await proxy.close();
  for (const socket of atServer) {
    socket.destroy();
  }
  server.close();
});

interface Client {
  readonly socket: Socket;
  answers: string;
  end: string | undefined;
}

async function dial(): Promise<Client> {
  const client: Client = { socket: connect(proxy.port, "127.0.0.1"), answers: "", end: undefined };
  client.socket.on("data", (piece) => {
    client.answers += piece;
  });
  client.socket.on("error", (error: NodeJS.ErrnoException) => {
    client.end = error.code;
  });
  client.socket.on("close", () => {
    client.end ??= "closed";
  });
  await once(client.socket, "connect");
  return client;
}

async function exchange(client: Client, text: string): Promise<void> {
  const before = client.answers;
  client.socket.write(text);
  await eventually("an answer", () => client.answers === `${before}<${text.length}>`);
}

test("passes bytes and ends in both directions", async () => {
  const client = await dial();
  await exchange(client, "hello");
  client.socket.end();
  await eventually("the end", () => client.end === "closed");
  await eventually("no connection", () => proxy.connections === 0);
});

test("refuse: new connections are reset, those open go on", async () => {
  const old = await dial();
  await exchange(old, "a");
  proxy.refuse();
  const fresh = connect(proxy.port, "127.0.0.1");
  const [error] = (await once(fresh, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNRESET");
  await exchange(old, "b");
});

test("reset: both sides lose the connection", async () => {
  const client = await dial();
  await exchange(client, "a");
  proxy.reset();
  await eventually("a reset", () => client.end === "ECONNRESET");
  await eventually("a reset at the server", () => atServer[0]?.destroyed === true);
});

test("mute: nothing arrives and nobody is told, not even of an end; pass resets what lost bytes", async () => {
  const client = await dial();
  await exchange(client, "a");
  proxy.mute();
  client.socket.write("lost");
  await sleep(QUIET_MS);
  client.socket.destroy();
  await sleep(QUIET_MS);
  expect(received).toBe("a");
  expect(atServer[0]?.destroyed).toBe(false);
  proxy.pass();
  await eventually("a reset at the server", () => atServer[0]?.destroyed === true);
});

test("silence: half-open for good, but new connections work", async () => {
  const old = await dial();
  await exchange(old, "a");
  proxy.silence();
  old.socket.write("lost");
  const fresh = await dial();
  await exchange(fresh, "b");
  await sleep(QUIET_MS);
  expect([received, old.answers, old.end]).toEqual(["ab", "<1>", undefined]);
});

test("swallow: requests arrive, answers do not", async () => {
  const client = await dial();
  await exchange(client, "a");
  proxy.swallow();
  client.socket.write("b");
  await eventually("the request", () => received === "ab");
  await sleep(QUIET_MS);
  expect(client.answers).toBe("<1>");
});

test("delay: every piece comes later", async () => {
  proxy.delay(50);
  const client = await dial();
  const started = performance.now();
  await exchange(client, "a");
  expect(performance.now() - started).toBeGreaterThan(95);
});

test("cutAfter: just so many bytes arrive, then a reset, once", async () => {
  const client = await dial();
  await exchange(client, "abc");
  const trap = proxy.cutAfter("toServer", 4);
  await exchange(client, "de");
  client.socket.write("fghi");
  await trap.done;
  await eventually("a reset", () => client.end === "ECONNRESET");
  await eventually("the bytes", () => received === "abcdefg");
  await exchange(await dial(), "0123456789");
});

test("swallowReplyTo: the request arrives, its answer does not, then a reset; spared ones pass", async () => {
  const client = await dial();
  const trap = proxy.swallowReplyTo(Buffer.from("COMMIT"), 1);
  await exchange(client, "COMMIT 1");
  await exchange(client, "and now COM");
  client.socket.write("MIT 2");
  await trap.done;
  await eventually("a reset", () => client.end === "ECONNRESET");
  expect([received, client.answers]).toEqual(["COMMIT 1and now COMMIT 2", "<8><11>"]);
  await exchange(await dial(), "COMMIT 3");
});

test("a disarmed trap does nothing", async () => {
  const trap = proxy.cutAfter("toClient", 1);
  trap.disarm();
  await exchange(await dial(), "a");
  expect(trap.sprung).toBe(false);
});
