import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import type { Readable } from "node:stream";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type { FastifyInstance } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { closeServers, serveApi } from "../../tests/harness/http.js";
import { defineRoute } from "./route.js";

afterEach(closeServers);

const echo = defineRoute({
  method: "POST",
  path: "/echo",
  summary: "Gives back what it got",
  request: { body: z.strictObject({ value: z.any() }) },
  answers: { 200: z.any() },
  handle: async ({ body }) => ({ status: 200, body: body.value }),
});
const batch = defineRoute({
  method: "POST",
  path: "/batch",
  summary: "Takes other kinds",
  bodies: { "application/x-ndjson": "stream", "application/xml": "text", "application/json": "bytes" },
  bodyLimitBytes: 1_000_000,
  answers: { 200: z.object({ kind: z.string(), length: z.number() }) },
  handle: async ({ raw }) => {
    const { body } = raw;
    if (typeof body === "string" || Buffer.isBuffer(body)) {
      return { status: 200, body: { kind: typeof body, length: body.length } };
    }
    let length = 0;
    for await (const chunk of body as Readable) {
      length += (chunk as Buffer).length;
    }
    return { status: 200, body: { kind: "stream", length } };
  },
});

const post = (server: FastifyInstance, payload: string | Buffer, type = "application/json", url = "/echo") =>
  server.inject({ method: "POST", url, payload, headers: { "content-type": type } });
const nested = (levels: number) => `{"value":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;

describe("a JSON body", () => {
  it.each<[string, string | Buffer, number, string]>([
    ["broken", '{"value":', 400, "MESSAGE_MALFORMED"],
    ["empty", "", 400, "MESSAGE_MALFORMED"],
    ["only blanks", "  ", 400, "MESSAGE_MALFORMED"],
    ["two values", '{"value":1}{"value":2}', 400, "MESSAGE_MALFORMED"],
    ["not UTF-8", Buffer.from('{"value":"\xff"}', "latin1"), 400, "MESSAGE_MALFORMED"],
    ["33 levels deep", nested(33), 400, "MESSAGE_MALFORMED"],
    ["so deep that a reader would overflow", "[".repeat(200_000), 400, "MESSAGE_MALFORMED"],
    ["over 256 KiB", JSON.stringify({ value: "x".repeat(262_144) }), 413, "MESSAGE_TOO_LARGE"],
  ])("that is %s is a problem that repeats nothing of it", async (_, payload, status, code) => {
    const answer = await post(await serveApi([echo]), payload);
    expect(answer.json()).toMatchObject({ status, code, retryable: false });
    expect(answer.body).not.toContain('"value');
  });

  it.each([
    ["32 levels deep", nested(32)],
    ["with more brackets in its strings", JSON.stringify({ value: `${"[{".repeat(40)}"\\` })],
    ["with more of them behind a quote in a string", JSON.stringify({ value: `"${"[".repeat(40)}` })],
    ["with many brackets, none within another", JSON.stringify({ value: Array(100).fill([]) })],
  ])("that is %s is taken", async (_, payload) => {
    const answer = await post(await serveApi([echo]), payload);
    expect([answer.statusCode, answer.json()]).toEqual([200, JSON.parse(payload).value]);
  });

  it.each(["text/plain", "text/xml", "application/x-www-form-urlencoded", "application", ""])(
    "of the content type %j is 415",
    async (type) => {
      const answer = await post(await serveApi([echo]), '{"value":1}', type);
      expect(answer.json()).toMatchObject({ status: 415, code: "CONTENT_TYPE_UNSUPPORTED" });
    },
  );

  const withHeaders = async (headers: Record<string, string>, url = "/echo") =>
    (await serveApi([echo, batch])).inject({
      method: "POST",
      url,
      payload: '{"value":1}',
      headers: { "content-type": "application/json", ...headers },
    });

  it.each([
    ["content-encoding", "gzip"],
    ["content-encoding", "gzip, identity"],
    ["content-encoding", "br"],
    ["content-type", "application/json; charset=latin1"],
    ["content-type", 'application/json; charset="utf-16"'],
    ["content-type", "application/json; charset=utf-8; CHARSET=utf-16le"],
    ["content-type", "application/json;charset=utf-80"],
  ])("of the %s %s is 415, also where a module takes its bytes", async (name, value) => {
    for (const url of ["/echo", "/batch"]) {
      expect((await withHeaders({ [name]: value }, url)).json()).toMatchObject({
        ...{ status: 415, code: "CONTENT_TYPE_UNSUPPORTED", retryable: false },
        errors: [{ in: "header", pointer: `#/${name}` }],
      });
    }
  });

  it.each([
    ["content-encoding", "identity"],
    ["content-encoding", "Identity"],
    ["content-encoding", ""],
    ["content-type", "application/json; charset=utf-8"],
    ["content-type", 'application/json;charset="UTF-8"; x=y'],
    ["content-type", "application/json; charset=utf8"],
    ["content-type", "application/json; x-charset=latin1"],
  ])("of the %s %s is taken", async (name, value) => {
    expect((await withHeaders({ [name]: value })).statusCode).toBe(200);
  });
});

/** What a real connection answers to some bytes. */
async function send(server: FastifyInstance, ...parts: string[]): Promise<string> {
  await server.listen({ host: "127.0.0.1", port: 0 });
  const socket = connect((server.server.address() as AddressInfo).port, "127.0.0.1");
  let answer = "";
  socket.on("data", (data) => {
    answer += data;
  });
  for (const part of parts) {
    socket.write(part);
  }
  await once(socket, "close");
  return answer;
}

describe("on a real connection", () => {
  it("a body that says it is too large is refused before it comes", async () => {
    const head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    const answer = await send(await serveApi([echo]), `${head}Content-Length: 300000\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain('"code":"MESSAGE_TOO_LARGE"');
  });

  it.each([
    ["no HTTP", "HELLO\r\n\r\n", 400],
    ["no Host", "GET /x HTTP/1.1\r\nConnection: close\r\n\r\n", 421],
    ["headers too large", `GET /x HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
    ["a path that is no URL", "GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400],
  ])("%s is a problem too", async (_, bytes, status) => {
    const answer = await send(await serveApi([echo]), bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.toLowerCase()).toContain("content-type: application/problem+json");
    expect(answer).not.toMatch(/zz|xxx|HELLO/);
  });
});

it("a request that came too late for its server may come again, one that is none may not", async () => {
  const server = await serveApi([echo]);
  const answered = async (code: string) => {
    const socket = new PassThrough();
    server.server.emit("clientError", Object.assign(new Error(code), { code }), socket);
    return (await text(socket)).split("\r\n\r\n").at(-1) ?? "";
  };
  expect(JSON.parse(await answered("ERR_HTTP_REQUEST_TIMEOUT"))).toMatchObject({
    status: 408,
    retryable: true,
  });
  expect(JSON.parse(await answered("HPE_INVALID_METHOD"))).toMatchObject({ status: 400, retryable: false });
});

describe("an endpoint that takes other kinds of bodies", () => {
  it.each([
    ["a stream", "application/x-ndjson", 400_000, { kind: "stream", length: 400_000 }],
    ["text", "application/xml", 400_000, { kind: "string", length: 400_000 }],
    ["JSON as it came", "application/json", 10, { kind: "object", length: 10 }],
  ])("gets %s", async (_, type, length, expected) => {
    const answer = await post(await serveApi([batch, echo]), "x".repeat(length), type, "/batch");
    expect([answer.statusCode, answer.json()]).toEqual([200, expected]);
  });

  it.each(["application/x-ndjson", "application/xml", "application/json"])(
    "has a limit of its own: %s",
    async (type) => {
      const answer = await post(await serveApi([batch]), "x".repeat(1_000_001), type, "/batch");
      expect(answer.json()).toMatchObject({ status: 413, code: "MESSAGE_TOO_LARGE" });
    },
  );

  it("counts a stream that does not say how long it is", async () => {
    const chunk = `${(200_000).toString(16)}\r\n${"x".repeat(200_000)}\r\n`;
    const head =
      "POST /batch HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n";
    const type = "Content-Type: application/x-ndjson\r\n\r\n";
    const answer = await send(
      await serveApi([batch]),
      `${head}${type}`,
      ...Array(6).fill(chunk),
      "0\r\n\r\n",
    );
    expect(answer).toContain('"code":"MESSAGE_TOO_LARGE"');
  });

  it("gives nobody else its kinds", async () => {
    const server = await serveApi([batch, echo]);
    expect((await post(server, "<a/>", "application/xml")).statusCode).toBe(415);
    expect((await post(server, "<a/>", "text/plain", "/batch")).statusCode).toBe(415);
    expect((await post(server, "<a/>", "application/xml; charset=latin1", "/batch")).statusCode).toBe(415);
    expect((await post(server, "{}", "application/x-ndjson; charset=latin1", "/batch")).statusCode).toBe(200);
    expect((await post(server, '{"value":7}')).json()).toBe(7);
    expect(
      (await post(server, Buffer.from("\xff", "latin1"), "application/xml", "/batch")).json(),
    ).toMatchObject({ status: 400, code: "MESSAGE_MALFORMED", errors: [{ in: "body", pointer: "#" }] });
  });
});
