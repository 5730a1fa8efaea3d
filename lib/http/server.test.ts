import { once } from "node:events";
import { connect } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { allUp, closeServers, serveApi } from "../../tests/harness/http.js";
import { CoreError } from "../core_errors.js";
import type { Dependencies } from "../runtime/lifecycle.js";
import { OPERATIONS } from "./operations.js";
import { defineRoute, type Route } from "./route.js";
import { httpPart } from "./server.js";

afterEach(closeServers);

const serve = (routes: readonly Route[] = [], dependencies?: () => Promise<Dependencies>) =>
  serveApi(routes, dependencies === undefined ? {} : { dependencies });
const without = (server: "postgres" | "rabbitmq") => async () => ({
  ...(await allUp()),
  [server]: "down" as const,
});

const greet = defineRoute({
  method: "POST",
  path: "/greetings",
  summary: "Greets a person",
  request: { body: z.strictObject({ name: z.string().min(1).max(20) }) },
  answers: { 201: z.object({ text: z.string() }) },
  handle: async ({ body }) => {
    if (body.name === "nobody") {
      throw new CoreError("DEAD_LETTER_UNKNOWN", "there is nobody.", { hint: "Ask." });
    }
    if (body.name === "bug") {
      throw new Error("a secret of ours");
    }
    if (body.name === "away") {
      throw Object.assign(new Error("x"), { code: "ECONNREFUSED" });
    }
    if (body.name === "odd") {
      return { status: 201, body: { txt: 1 } };
    }
    return { status: 201, body: { text: `hello ${body.name}` }, headers: { location: "/greetings/1" } };
  },
});
const WHOLE_BODY = { in: "body", pointer: "#" };
const post = (server: FastifyInstance, payload: unknown, url = "/greetings") =>
  server.inject({ method: "POST", url, payload: payload as object });

describe("whoever asks", () => {
  const who = defineRoute({
    method: "GET",
    path: "/who",
    summary: "Tells whence it is asked",
    answers: { 200: z.object({ ip: z.string() }) },
    handle: async ({ raw }) => ({ status: 200, body: { ip: raw.ip } }),
  });

  it.each([
    ["", "10.1.0.2"],
    ["10.9.0.0/16", "10.1.0.2"],
    ["10.1.0.2", "9.9.9.9"],
    ["10.1.0.0/16, 9.9.9.9", "1.1.1.1"],
  ])("is who the last proxy says that is trusted: %j", async (trusted, ip) => {
    const server = await serveApi([who], { settings: { HTTP_TRUSTED_PROXIES: trusted } });
    const headers = { "x-forwarded-for": "1.1.1.1, 9.9.9.9" };
    const answer = await server.inject({ url: "/who", headers, remoteAddress: "10.1.0.2" });
    expect(answer.json()).toEqual({ ip });
  });

  it.each(["proxy", "10.0.0.0/33", "10.0.0.0/", "::/0", "10.0.0.1/8/8"])("trusts no %s", async (trusted) => {
    const served = serveApi([who], { settings: { HTTP_TRUSTED_PROXIES: trusted } });
    await expect(served).rejects.toMatchObject({ code: "SETTINGS_INVALID" });
  });
});

describe("a route", () => {
  it.each(["/greetings", "/greetings/"])("answers at %s", async (url) => {
    const answer = await post(await serve([greet]), { name: "Ada" }, url);
    expect([answer.statusCode, answer.json(), answer.headers["location"]]).toEqual([
      201,
      { text: "hello Ada" },
      "/greetings/1",
    ]);
  });

  it.each<[string, string, number, object]>([
    [
      "an unknown field",
      '{"name":"Ada","age":3}',
      400,
      { code: "REQUEST_INVALID", errors: [{ in: "body", pointer: "#/age" }] },
    ],
    [
      "a wrong value",
      '{"name":""}',
      400,
      { code: "REQUEST_INVALID", errors: [{ in: "body", pointer: "#/name" }] },
    ],
    ["broken JSON", '{"name":', 400, { code: "MESSAGE_MALFORMED", retryable: false, errors: [WHOLE_BODY] }],
    ["nothing", "", 400, { code: "MESSAGE_MALFORMED", errors: [WHOLE_BODY] }],
    ["too much", `{"name":"${"x".repeat(300_000)}"}`, 413, { code: "MESSAGE_TOO_LARGE" }],
    ["a refusal", '{"name":"nobody"}', 404, { code: "DEAD_LETTER_UNKNOWN", detail: "there is nobody. Ask." }],
    ["an outage", '{"name":"away"}', 503, { code: "UNAVAILABLE", retryable: true }],
    ["a bug", '{"name":"bug"}', 500, { code: "INTERNAL", retryable: true }],
    ["an answer that does not fit", '{"name":"odd"}', 500, { code: "INTERNAL" }],
  ])("answers %s with a problem", async (_, payload, status, expected) => {
    const server = await serve([greet]);
    const headers = { "content-type": "application/json" };
    const answer = await server.inject({ method: "POST", url: "/greetings", payload, headers });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.json()).toMatchObject({
      status,
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      ...expected,
    });
    expect(answer.body).not.toContain("secret");
  });

  it("that nobody has is a problem, and so is another content type", async () => {
    const server = await serve([greet]);
    expect((await server.inject("/nothing")).json()).toMatchObject({ status: 404, code: "ROUTE_UNKNOWN" });
    const headers = { "content-type": "text/xml" };
    const answer = await server.inject({ method: "POST", url: "/greetings", payload: "<a/>", headers });
    expect(answer.json()).toMatchObject({ status: 415, code: "CONTENT_TYPE_UNSUPPORTED" });
  });

  it.each([
    ["PUT", "/greetings", "POST"],
    ["GET", "/greetings/?a=b", "POST"],
    ["OPTIONS", "/greetings", "POST"],
    ["PUT", "/greetings/7", "DELETE, GET, HEAD, PATCH"],
    ["POST", "/greetings/7/", "DELETE, GET, HEAD, PATCH"],
    ["POST", "/healthz", "GET, HEAD"],
    ["POST", "/openapi.json", "GET, HEAD"],
  ])("asked with %s at %s is 405: it has %s", async (method, url, allow) => {
    const at = { path: "/greetings/:id", answers: { 200: z.string() }, summary: "One greeting" } as const;
    const handle = async () => ({ status: 200, body: "hello" });
    const [read, drop] = [
      defineRoute({ ...at, method: "GET", handle }),
      defineRoute({ ...at, method: "DELETE", path: "/greetings/:name", handle }),
    ];
    // In a context of its own.
    const change = defineRoute({ ...at, method: "PATCH", bodies: { "text/xml": "text" }, handle });
    const server = await serve([greet, read, change, drop]);
    const answer = await server.inject({ method: method as "PUT", url });
    expect(answer.json()).toMatchObject({ status: 405, code: "METHOD_UNSUPPORTED", retryable: false });
    expect(answer.headers["allow"]).toBe(allow);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
  });

  it.each(["/greetings/7/8", "/greetings//", "/greeting", "/Greetings/7"])(
    "asked at %s, which is none, is 404 with any method",
    async (url) => {
      const server = await serve([greet]);
      for (const method of ["GET", "PUT"] as const) {
        const answer = await server.inject({ method, url });
        expect([answer.statusCode, answer.headers["allow"]]).toEqual([404, undefined]);
      }
    },
  );

  it.each([
    ["PUT", "/greetings", 405],
    ["POST", "/nothing", 404],
  ] as const)(
    "asked with %s at %s is %i whatever its body is, which is not read",
    async (method, url, status) => {
      const headers = { "content-type": "application/json; charset=latin1" };
      const answer = await (await serve([greet])).inject({
        method,
        url,
        headers,
        payload: "this is no JSON",
      });
      expect(answer.statusCode).toBe(status);
    },
  );

  it("takes the caller's trace, and no other text for one", async () => {
    const server = await serve();
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const of = async (traceparent: string) =>
      (await server.inject({ url: "/nothing", headers: { traceparent } })).json().trace_id;
    expect(await of(`00-${trace}-b7ad6b7169203331-01`)).toBe(trace);
    expect(await of(`00-${"0".repeat(32)}-b7ad6b7169203331-01`)).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  });

  it("wanted by two modules is refused", async () => {
    await expect(serve([greet, greet])).rejects.toMatchObject({ code: "MODULE_INVALID" });
  });

  it("is described by OpenAPI, with what it takes and answers", async () => {
    const server = await serve([greet]);
    const document = (await server.inject("/openapi.json")).json();
    expect(document.openapi).toBe("3.1.0");
    const { summary, requestBody, responses } = document.paths["/greetings"].post;
    expect(summary).toBe("Greets a person");
    expect(requestBody.content["application/json"].schema.properties.name.maxLength).toBe(20);
    expect(responses[201].content["application/json"].schema.properties.text.type).toBe("string");
    for (const status of [400, 401, 409, 413, 415, 422, 429, 503]) {
      expect(responses[status]).toEqual({ $ref: "#/components/responses/Problem" });
    }
    expect(Object.keys(document.paths)).toEqual([...Object.keys(OPERATIONS), "/greetings"]);
  });
});

describe("operations", () => {
  it("are alive while they are not ready, and say what is missing", async () => {
    const server = await serve([], without("postgres"));
    expect((await server.inject("/livez")).statusCode).toBe(200);
    expect((await server.inject("/healthz")).statusCode).toBe(200);
    const ready = await server.inject("/readyz");
    expect([ready.statusCode, ready.json()]).toEqual([
      503,
      { ready: false, dependencies: { postgres: "down", rabbitmq: "up" } },
    ]);
    const health = await server.inject("/health");
    expect([health.statusCode, health.json().status]).toEqual([503, "unhealthy"]);
  });

  it("say that the process drains once it is told to end, and serve on", async () => {
    const ending = new AbortController();
    const server = await serveApi([greet], { ending: ending.signal });
    const status = async (url: string) => (await server.inject(url)).statusCode;
    expect([await status("/livez"), await status("/readyz")]).toEqual([200, 200]);
    ending.abort();
    // 404 is what HAProxy's disable-on-404 waits for.
    expect([await status("/livez"), await status("/readyz"), await status("/healthz")]).toEqual([
      404, 503, 200,
    ]);
    expect((await server.inject("/readyz")).json()).toEqual({
      ready: false,
      draining: true,
      dependencies: await allUp(),
    });
    expect((await post(server, { name: "Ada" })).statusCode).toBe(201);
  });

  it("tell what is degraded from what is unhealthy", async () => {
    const degraded = await (await serve([], without("rabbitmq"))).inject("/health");
    expect([degraded.statusCode, degraded.json().status]).toEqual([200, "degraded"]);
    const healthy = await (await serve()).inject("/health");
    expect([healthy.statusCode, healthy.json().status]).toEqual([200, "healthy"]);
  });

  it("serve metrics in the format that Prometheus 3 insists on", async () => {
    const answer = await (await serve()).inject("/metrics");
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(answer.body).toContain('payments_build_info{version="1.2.3"');
  });

  it("outlive a question that fails", async () => {
    const server = await serve([], () => Promise.reject(new Error("boom")));
    expect((await server.inject("/readyz")).statusCode).toBe(500);
    expect((await server.inject("/healthz")).statusCode).toBe(200);
  });
});

it("says which port is taken", async () => {
  const first = httpPart(await serve(), { host: "127.0.0.1", port: 0 });
  await first.start?.();
  const second = httpPart(await serve(), { host: "127.0.0.1", port: first.port() });
  await expect(second.start?.()).rejects.toMatchObject({ code: "PORT_TAKEN" });
});

it("stops at once though there is a connection on which nothing was asked", async () => {
  const part = httpPart(await serve(), { host: "127.0.0.1", port: 0 });
  await part.start?.();
  const silent = connect(part.port(), "127.0.0.1");
  const closed = once(silent, "close");
  await once(silent, "connect");
  // The server knows of it when it has answered one that came later.
  await fetch(`http://127.0.0.1:${part.port()}/livez`);
  const since = performance.now();
  await part.drain?.();
  await part.stop();
  await closed;
  expect(performance.now() - since).toBeLessThan(5_000);
});
