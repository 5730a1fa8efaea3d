import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { newSecret, Receiver, status } from "../../tests/harness/receiver.js";
import { tellsAway, WebhookClient, type WebhookClientOptions } from "./client.js";

let receiver: Receiver;
const clients: WebhookClient[] = [];
beforeEach(async () => {
  receiver = await Receiver.open();
});
afterEach(async () => {
  for (const client of clients.splice(0)) {
    client.close();
  }
  await receiver.close();
});

function clientOf(options: Partial<WebhookClientOptions> = {}): WebhookClient {
  const client = new WebhookClient({ target: receiver.target, connections: 2, ...options });
  clients.push(client);
  return client;
}

describe("an attempt", () => {
  it.each([200, 201, 204, 299])("that is answered with %d has delivered, signed", async (code) => {
    receiver.answer = status(code);
    expect(await clientOf().send("id-1", '{"a":1}')).toEqual({
      kind: "delivered",
      result: String(code),
      retryAfterS: 0,
    });
    expect(receiver.forged).toEqual([]);
    expect(receiver.received).toMatchObject([{ id: "id-1", body: { a: 1 }, path: "/hooks" }]);
  });

  it.each([400, 404, 429, 500, 503])(
    "that is answered with %d has failed, and may say until when",
    async (code) => {
      receiver.answer = status(code, { "retry-after": "30" });
      expect(await clientOf().send("id", "{}")).toEqual({
        kind: "failed",
        result: String(code),
        retryAfterS: 30,
      });
    },
  );

  it("that is answered with 410 is the last", async () => {
    receiver.answer = status(410);
    expect(await clientOf().send("id", "{}")).toMatchObject({ kind: "gone", result: "410" });
  });

  it.each([301, 302, 307, 308])(
    "that is sent elsewhere with %d has failed, and nobody goes there",
    async (code) => {
      const elsewhere = await Receiver.open();
      receiver.answer = status(code, { location: elsewhere.url });
      const attempt = await clientOf().send("id", "{}");
      expect(attempt).toMatchObject({ kind: "failed", result: String(code) });
      expect(tellsAway(attempt)).toBe(false);
      expect(elsewhere.received).toEqual([]);
      await elsewhere.close();
    },
  );

  it("that nobody answers ends in time", async () => {
    receiver.answer = () => undefined;
    expect(await clientOf({ timeoutMs: 1_000 }).send("id", "{}")).toMatchObject({
      kind: "failed",
      result: "TIMEOUT",
    });
    expect(receiver.received).toHaveLength(1);
  });

  it("that nobody takes, or that is cut off, says so", async () => {
    receiver.answer = (response) => response.destroy();
    expect(await clientOf().send("id", "{}")).toMatchObject({ kind: "failed", result: "ECONNRESET" });
    const { target } = receiver;
    await receiver.close();
    expect(await clientOf({ target }).send("id", "{}")).toMatchObject({
      kind: "failed",
      result: "ECONNREFUSED",
    });
    receiver = await Receiver.open();
  });

  it("takes what is no HTTP for a failure", async () => {
    const babble = createServer((socket) => {
      socket.on("error", () => undefined).end("hello\r\n\r\n");
    });
    await new Promise<void>((resolve) => babble.listen(0, "127.0.0.1", resolve));
    const { port } = babble.address() as { port: number };
    const target = { ...receiver.target, url: `http://127.0.0.1:${port}/` };
    expect(await clientOf({ target }).send("id", "{}")).toMatchObject({
      kind: "failed",
      result: expect.stringMatching(/^HPE_/),
    });
    babble.close();
  });

  it("keeps its connection, but not for an answer without end", async () => {
    const ports: (number | undefined)[] = [];
    receiver.answer = (response) => {
      ports.push(response.socket?.remotePort);
      response.writeHead(200).end("thanks");
    };
    const client = clientOf({ connections: 1 });
    await client.send("1", "{}");
    await client.send("2", "{}");
    expect(new Set(ports).size).toBe(1);
    let ended = false;
    receiver.answer = (response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(16_384);
      const more = () => void (response.destroyed || response.write(chunk, more));
      response.on("close", () => (ended = true));
      more();
    };
    expect(await client.send("3", "{}")).toMatchObject({ kind: "delivered" });
    await eventually("the connection is cut", () => ended);
  });
});

describe("internal addresses", () => {
  const target = (host: string) => ({
    url: `http://${host}:${receiver.port}/hooks`,
    secrets: newSecret(),
    allowInternal: false,
  });

  it.each(["127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "0x7f.1"])("as %s are refused", async (host) => {
    expect(await clientOf({ target: target(host) }).send("id", "{}")).toMatchObject({
      kind: "failed",
      result: "ADDRESS_REFUSED",
    });
    expect(receiver.received).toEqual([]);
  });

  it("are refused when they are connected to: a name is resolved once, there", async () => {
    let asked = 0;
    const lookup = ((_: string, __: object, done: (error: null, found: object[]) => void) => {
      asked += 1;
      done(null, [{ address: "127.0.0.1", family: 4 }]);
    }) as never;
    const client = clientOf({ target: target("shop.example"), lookup });
    expect(await client.send("id", "{}")).toMatchObject({ kind: "failed", result: "ADDRESS_REFUSED" });
    expect(asked).toBe(1);
    expect(receiver.received).toEqual([]);
  });
});
