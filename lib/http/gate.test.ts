import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { eventually } from "../../tests/harness/eventually.js";
import { closeServers, type ServeOptions, serveApi } from "../../tests/harness/http.js";
import { CoreError } from "../core_errors.js";
import { createRegistry } from "../observability/registry.js";
import { type Deferred, deferred } from "../timing.js";
import { defineRoute, type Route } from "./route.js";
import { httpPart } from "./server.js";

afterEach(closeServers);

/** Ends when told; `arrived` counts those that began. */
function slowRoute(): { route: Route; gate: Deferred<void>; arrived: () => number } {
  const gate = deferred<void>();
  let arrived = 0;
  const route = defineRoute({
    method: "POST",
    path: "/slow/:id",
    summary: "Waits",
    request: { params: z.object({ id: z.string() }), body: z.strictObject({ n: z.number() }) },
    answers: { 200: z.string() },
    handle: async () => {
      arrived += 1;
      await gate.promise;
      return { status: 200, body: "done" };
    },
  });
  return { route: { ...route, service: "slow-service" }, gate, arrived: () => arrived };
}
const post = (server: FastifyInstance, payload = '{"n":1}', headers: Record<string, string> = {}) =>
  server.inject({
    method: "POST",
    url: "/slow/4111111111111111",
    payload,
    headers: { "content-type": "application/json", ...headers },
  });
const metricsOf = async (server: FastifyInstance) => (await server.inject("/metrics")).body;

describe("too much to do", () => {
  it("is refused at once, before the body is read, and what machines ask is not", async () => {
    const { route, gate, arrived } = slowRoute();
    const server = await serveApi([route], { settings: { HTTP_MAX_IN_FLIGHT: 2 } });
    const served = [post(server), post(server)];
    await eventually("two are in flight", () => arrived() === 2);
    const refused = await post(server, "this is no JSON");
    expect(refused.json()).toMatchObject({ status: 503, code: "OVERLOADED", retryable: true });
    expect(refused.headers["retry-after"]).toBe("1");
    expect((await server.inject("/livez")).statusCode).toBe(200);
    const metrics = await metricsOf(server);
    expect(metrics).toContain("payments_http_in_flight 2");
    expect(metrics).toContain('payments_http_shed_total{reason="in_flight"} 1');
    gate.resolve();
    expect((await Promise.all(served)).map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect((await post(server)).statusCode).toBe(200);
    expect(await metricsOf(server)).toContain("payments_http_in_flight 0");
  });

  it("is also a long queue for the database of its module, and of no other", async () => {
    const { route, gate } = slowRoute();
    gate.resolve();
    let queue = 501;
    const other = { ...route, path: "/other/:id" as const, poolQueue: () => 0 };
    const server = await serveApi([{ ...route, poolQueue: () => queue }, other]);
    expect((await post(server)).json()).toMatchObject({ status: 503, code: "OVERLOADED" });
    expect(await metricsOf(server)).toContain('payments_http_shed_total{reason="pool"} 1');
    expect((await server.inject({ method: "POST", url: "/other/1", payload: { n: 1 } })).statusCode).toBe(
      200,
    );
    queue = 500;
    expect((await post(server)).statusCode).toBe(200);
  });

  it("is also 64 MiB of bodies that may be large, but for one alone", async () => {
    const { route, gate, arrived } = slowRoute();
    const MiB = 1_024 * 1_024;
    const { request: _, ...any } = route;
    const bodies = { "application/x-ndjson": "stream" } as const;
    const large: Route = { ...any, path: "/large/:id", bodies, bodyLimitBytes: 70 * MiB };
    const server = await serveApi([route, large]);
    // As many as it says it has; nobody reads them.
    const send = (bytes: number) =>
      server.inject({
        method: "POST",
        url: "/large/1",
        payload: "{}",
        headers: { "content-type": "application/x-ndjson", "content-length": String(bytes) },
      });
    const first = send(65 * MiB);
    await eventually("one is in flight", () => arrived() === 1);
    expect((await send(100)).json()).toMatchObject({ status: 503, code: "OVERLOADED" });
    expect(await metricsOf(server)).toContain('payments_http_shed_total{reason="bytes"} 1');
    const other = post(server);
    await eventually("what takes small ones only is served", () => arrived() === 2);
    gate.resolve();
    expect([(await first).statusCode, (await other).statusCode]).toEqual([200, 200]);
    expect((await send(100)).statusCode).toBe(200);
  });

  it("while the process ends: what is in flight is finished, what comes is refused", async () => {
    const { route, gate, arrived } = slowRoute();
    const server = await serveApi([route]);
    const part = httpPart(server, { host: "127.0.0.1", port: 0 });
    const served = post(server);
    await eventually("it is in flight", () => arrived() === 1);
    let drained = false;
    const draining = part.drain?.().then(() => {
      drained = true;
    });
    const refused = await post(server);
    expect([refused.json().code, refused.headers.connection, drained]).toEqual([
      "OVERLOADED",
      "close",
      false,
    ]);
    gate.resolve();
    await draining;
    expect((await served).statusCode).toBe(200);
    expect((await server.inject("/livez")).statusCode).toBe(200);
  });
});

describe("every request", () => {
  const failing = (error: Error): Route => {
    const { route } = slowRoute();
    return { ...route, handle: () => Promise.reject(error) };
  };
  async function logged(options: ServeOptions & { level?: string; route?: Route }, body?: string) {
    const { level = "debug", route, ...more } = options;
    const { route: slow, gate } = slowRoute();
    gate.resolve();
    const lines: Record<string, unknown>[] = [];
    const logger = pino({ level }, { write: (line) => lines.push(JSON.parse(line)) });
    const registry = createRegistry();
    const server = await serveApi([route ?? slow], { logger, registry, ...more });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const answer = await post(server, body, { traceparent });
    return { lines, answer, metrics: await registry.metrics() };
  }
  const [OWN, AWAY, RACE, BUG] = [
    new CoreError("DEAD_LETTER_UNKNOWN", "there is none"),
    Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
    Object.assign(new Error("x"), { code: "55P03" }),
    new Error("a bug"),
  ];

  it.each<[string, number, string, string | undefined, string | undefined, Route | undefined]>([
    ["served", 200, "debug", undefined, undefined, undefined],
    ["that does not fit", 400, "info", "REQUEST_INVALID", '{"n":"a secret"}', undefined],
    ["refused by the module", 404, "info", "DEAD_LETTER_UNKNOWN", undefined, failing(OWN)],
    ["that met an outage", 503, "warn", "UNAVAILABLE", undefined, failing(AWAY)],
    ["that lost a race", 503, "warn", "BUSY", undefined, failing(RACE)],
    ["that met a bug", 500, "error", "INTERNAL", undefined, failing(BUG)],
  ])("%s is %i: one line at %s, one count, a trace", async (_, status, level, code, body, route) => {
    const { lines, answer, metrics } = await logged(route === undefined ? {} : { route }, body);
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const service = "slow-service";
    expect(answer.statusCode).toBe(status);
    expect(lines).toEqual([
      expect.objectContaining({
        ...{
          level: pino().levels.values[level],
          trace_id: trace,
          service,
          method: "POST",
          route: "/slow/:id",
        },
        ...{ status, ms: expect.any(Number), ...(code === undefined ? {} : { code }) },
      }),
    ]);
    // Neither what came in the path nor in the body.
    expect(JSON.stringify(lines)).not.toMatch(/41{15}|a secret/);
    expect(answer.headers["traceparent"]).toMatch(
      new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`),
    );
    const labels = `service="slow-service",route="/slow/:id"`;
    expect(metrics).toContain(`payments_http_requests_total{${labels},method="POST",status="${status}"} 1`);
    expect(metrics).toContain(`payments_http_request_seconds_bucket{le="10",${labels}} 1`);
  });

  it("is measured without what its caller asked to wait", async () => {
    const { route } = slowRoute();
    const handle: Route["handle"] = async (request, reply) => {
      request.waitedMs = () => 60_000;
      return reply.send("ok");
    };
    const { metrics } = await logged({ route: { ...route, handle } });
    expect(metrics).toMatch(/^payments_http_request_seconds_sum\{.*\} -59/m);
  });

  it("that is served leaves no line above debug", async () => {
    expect((await logged({ level: "info" })).lines).toEqual([]);
  });

  it("has a trace of its own where its caller gives none, the same in answer and problem", async () => {
    const server = await serveApi([]);
    const answers = await Promise.all(["/a", "/b"].map((url) => server.inject(url)));
    const traces = answers.map((answer) => answer.json().trace_id as string);
    expect(new Set(traces).size).toBe(2);
    expect(answers.map(({ headers }) => String(headers["traceparent"]).slice(3, 35))).toEqual(traces);
  });

  it("of unknown paths is counted as one route", async () => {
    const server = await serveApi([]);
    await server.inject("/a/4111111111111111");
    await server.inject("/b");
    const metrics = await metricsOf(server);
    expect(metrics).toContain('{service="http",route="unknown",method="GET",status="404"} 2');
    expect(metrics).not.toContain("4111111111111111");
  });

  it("whose caller goes away is counted out as 499", async () => {
    const { route, gate, arrived } = slowRoute();
    const server = await serveApi([route]);
    await server.listen({ host: "127.0.0.1", port: 0 });
    const socket = connect((server.server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    const head =
      "POST /slow/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 7";
    socket.write(`${head}\r\n\r\n{"n":1}`);
    await eventually("it is in flight", () => arrived() === 1);
    socket.destroy();
    await eventually("counted out", async () => (await metricsOf(server)).includes('status="499"} 1'));
    expect(await metricsOf(server)).toContain("payments_http_in_flight 0");
    gate.resolve();
  });
});

describe("card data", () => {
  /** A test number, put together here: no source file holds one. */
  const pan = `4${"1".repeat(15)}`;
  const { route, gate } = slowRoute();
  gate.resolve();

  it("is refused with the place and without the value, before the body is looked at", async () => {
    const server = await serveApi([route]);
    const answer = await post(server, `{"n":"${pan}"}`);
    expect(answer.json()).toMatchObject({
      ...{ status: 422, code: "CARD_DATA_REFUSED", retryable: false },
      errors: [{ in: "body", pointer: "#/n" }],
    });
    expect(answer.body).not.toContain(pan);
    const query = await server.inject({ method: "POST", url: `/slow/1?n=${pan}`, payload: { n: 1 } });
    expect(query.json()).toMatchObject({
      code: "CARD_DATA_REFUSED",
      errors: [{ in: "query", pointer: "#/n" }],
    });
    expect((await post(server)).statusCode).toBe(200);
  });

  it("is left to a module that says so", async () => {
    const server = await serveApi([{ ...route, cardData: "module" }]);
    expect((await post(server, `{"n":${pan}}`)).statusCode).toBe(200);
  });
});
