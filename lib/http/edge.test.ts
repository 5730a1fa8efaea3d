import { createHash } from "node:crypto";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { closeServers, serveApi } from "../../tests/harness/http.js";
import { baseSettings, type Settings } from "../settings/base.js";
import { Edge } from "./edge.js";
import { defineRoute } from "./route.js";

afterEach(closeServers);

const who = defineRoute({
  method: "GET",
  path: "/who",
  summary: "Says who asks",
  answers: { 200: z.string() },
  handle: async ({ principal }) => ({ status: 200, body: principal }),
});
const change = defineRoute({
  method: "POST",
  path: "/change",
  summary: "Changes something",
  answers: { 200: z.string() },
  handle: async () => ({ status: 200, body: "changed" }),
});
const serve = (settings: Partial<Settings> = {}) => serveApi([who, change], { settings });
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("the Host", () => {
  it.each([
    "localhost",
    "LOCALHOST:8080",
    "127.0.0.1:1",
    "[::1]:8080",
    "[::1]",
    "api.example",
    "api.example:443",
  ])("%s is ours", async (host) => {
    const server = await serve({ HTTP_ALLOWED_HOSTS: "api.example, other.example" });
    expect((await server.inject({ url: "/who", headers: { host } })).statusCode).toBe(200);
  });

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost:8080:1",
    "[::1",
    "x@localhost",
  ])("%s is refused, for what machines ask it is not looked at", async (host) => {
    const server = await serve();
    const answer = await server.inject({ url: "/who", headers: { host } });
    expect(answer.json()).toMatchObject({ status: 421, code: "HOST_REFUSED" });
    expect((await server.inject({ url: "/nothing", headers: { host } })).statusCode).toBe(421);
    for (const url of ["/livez", "/readyz", "/healthz", "/health", "/metrics"]) {
      expect(
        (await server.inject({ url, headers: { host, "sec-fetch-site": "cross-site" } })).statusCode,
      ).toBe(200);
    }
  });

  it("that HTTP_HOST names is ours, and 0.0.0.0 is no name", async () => {
    const HTTP_API_KEYS = `a=${sha256("k")}`;
    const of = (HTTP_HOST: string, host: string) =>
      new Edge({ ...baseSettings.schema.parse({}), HTTP_HOST, HTTP_API_KEYS }).admit("GET", {
        host,
        "x-api-key": "k",
      });
    expect(of("192.0.2.1", "192.0.2.1:8080")).toBe("a");
    expect(of("2001:db8::1", "[2001:db8::1]:8080")).toBe("a");
    expect(() => of("0.0.0.0", "0.0.0.0:8080")).toThrow(expect.objectContaining({ code: "HOST_REFUSED" }));
  });
});

describe("an endpoint whose module asks who it is", () => {
  const own = { ...who, path: "/own", access: "module" } as const;
  const keys = { HTTP_API_KEYS: `a=${sha256("k")}` };
  const ask = async (url: string, headers: Record<string, string> = {}) =>
    (await serveApi([who, own], { settings: keys })).inject({ url, headers });

  it("asks for no key", async () => {
    expect([(await ask("/own")).statusCode, (await ask("/who")).statusCode]).toEqual([200, 401]);
  });

  it("may be linked to from anywhere, and is read by no other page", async () => {
    const site = { "sec-fetch-site": "cross-site" };
    const link = { ...site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    expect((await ask("/own", link)).statusCode).toBe(200);
    for (const headers of [
      site,
      { ...link, "sec-fetch-dest": "iframe" },
      { ...link, "sec-fetch-mode": "cors" },
    ]) {
      expect((await ask("/own", headers)).json()).toMatchObject({ code: "ORIGIN_REFUSED" });
    }
    expect((await ask("/who", link)).json()).toMatchObject({ code: "ORIGIN_REFUSED" });
    expect((await ask("/own", { ...link, host: "evil.example" })).json()).toMatchObject({
      code: "HOST_REFUSED",
    });
  });
});

describe("a page", () => {
  const origin = "https://shop.example";
  const ask = async (method: "GET" | "POST", headers: Record<string, string>) => {
    const server = await serve({ HTTP_CORS_ORIGINS: "https://shop.example" });
    return server.inject({ method, url: method === "GET" ? "/who" : "/change", headers });
  };

  it.each<["GET" | "POST", Record<string, string>]>([
    ["GET", {}],
    ["GET", { "sec-fetch-site": "none" }],
    ["GET", { "sec-fetch-site": "same-site" }],
    ["POST", { "sec-fetch-site": "same-origin", origin: "http://localhost" }],
    ["POST", { origin: "http://localhost", host: "localhost" }],
    ["POST", { "sec-fetch-site": "cross-site", origin }],
  ])("may %s with %j", async (method, headers) => {
    expect((await ask(method, headers)).statusCode).toBe(200);
  });

  it.each<["GET" | "POST", Record<string, string>]>([
    ["GET", { "sec-fetch-site": "cross-site" }],
    ["GET", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["POST", { "sec-fetch-site": "cross-site", origin: "null" }],
    ["POST", { "sec-fetch-site": "same-site", origin: "http://localhost:3000" }],
    ["POST", { origin: "https://evil.example" }],
    ["POST", { origin: "https://shop.example.evil.example" }],
  ])("may not %s with %j", async (method, headers) => {
    const answer = await ask(method, headers);
    expect(answer.json()).toMatchObject({ status: 403, code: "ORIGIN_REFUSED" });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("of an origin that is named reads the answer, and asks before without a key", async () => {
    expect((await ask("POST", { origin })).headers).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-expose-headers": expect.stringContaining("Idempotent-Replayed"),
      vary: "Origin",
    });
    const server = await serve({ HTTP_CORS_ORIGINS: origin, HTTP_API_KEYS: `a=${sha256("k")}` });
    const preflight = (from: string) =>
      server.inject({
        method: "OPTIONS",
        url: "/change",
        headers: { origin: from, "access-control-request-method": "POST", "sec-fetch-site": "cross-site" },
      });
    const answer = await preflight(origin);
    expect([answer.statusCode, answer.headers["access-control-allow-headers"]]).toEqual([
      204,
      expect.stringContaining("Idempotency-Key"),
    ]);
    expect((await preflight("https://evil.example")).statusCode).toBe(403);
  });
});

describe("a route whose answers hang on a header", () => {
  const origin = "https://shop.example";
  const varied = defineRoute({
    method: "GET",
    path: "/varied",
    summary: "Says what a header says",
    vary: "X-Shape",
    answers: { 200: z.string() },
    handle: async ({ raw }) => ({ status: 200, body: String(raw.headers["x-shape"]) }),
  });

  it.each<[string, Record<string, string>, number, string]>([
    ["an answer", {}, 200, "X-Shape"],
    ["a refusal", { host: "evil.example" }, 421, "X-Shape"],
    ["a page's answer", { origin, "sec-fetch-site": "cross-site" }, 200, "X-Shape, Origin"],
  ])("says so in %s", async (_, headers, status, vary) => {
    const server = await serveApi([varied], { settings: { HTTP_CORS_ORIGINS: origin } });
    const answer = await server.inject({ url: "/varied", headers });
    expect([answer.statusCode, answer.headers["vary"]]).toEqual([status, vary]);
  });

  it("has that header among its parameters", async () => {
    const server = await serveApi([varied], { settings: {} });
    const { paths } = (await server.inject("/openapi.json")).json();
    expect(paths["/varied"].get.parameters).toEqual([
      { name: "X-Shape", in: "header", required: false, schema: { type: "string" } },
    ]);
  });
});

describe("an API key", () => {
  const HTTP_API_KEYS = `shop=${sha256("first-key")}, ops=${sha256("second-key").toUpperCase()}`;

  it.each<[Record<string, string>, string]>([
    [{ authorization: "Bearer first-key" }, "shop"],
    [{ authorization: "bearer second-key" }, "ops"],
    [{ "x-api-key": "second-key" }, "ops"],
  ])("in %j names its caller", async (headers, name) => {
    const server = await serve({ HTTP_API_KEYS });
    expect((await server.inject({ url: "/who", headers })).json()).toBe(name);
  });

  it.each<[Record<string, string>]>([
    [{}],
    [{ authorization: "Bearer wrong-key" }],
    [{ authorization: "Basic Zmlyc3Qta2V5" }],
    [{ authorization: "first-key" }],
    [{ "x-api-key": sha256("first-key") }],
    [{ "x-api-key": "" }],
  ])("%j is 401 wherever keys are set, but for what machines ask, and is not logged", async (headers) => {
    let log = "";
    const logger = pino({ level: "trace" }, { write: (line) => (log += line) });
    const server = await serveApi([who], { settings: { HTTP_API_KEYS }, logger });
    for (const url of ["/who", "/nothing", "/docs", "/openapi.json"]) {
      const answer = await server.inject({ url, headers });
      expect(answer.json()).toMatchObject({ status: 401, code: "API_KEY_REFUSED" });
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="payments"');
    }
    expect((await server.inject({ url: "/metrics", headers })).statusCode).toBe(200);
    expect((await server.inject({ url: "/who", headers: { "x-api-key": "first-key" } })).statusCode).toBe(
      200,
    );
    expect(log).toContain("API_KEY_REFUSED");
    expect(log).not.toMatch(/first-key|wrong-key/);
  });

  it("is needed by no caller where none is set", async () => {
    expect((await (await serve()).inject("/who")).json()).toBe("anybody");
  });
});

describe("settings are refused:", () => {
  it.each<[string, Partial<Settings>, RegExp]>([
    ["beyond loopback without keys", { HTTP_HOST: "0.0.0.0" }, /HTTP_API_KEYS: HTTP_HOST 0.0.0.0/],
    ["a name that only looks like loopback", { HTTP_HOST: "127.0.0.1.example" }, /HTTP_API_KEYS/],
    ["a key in place of its hash", { HTTP_API_KEYS: "shop=my-key" }, /entry 1 is not/],
    ["a hash without a name", { HTTP_API_KEYS: sha256("k") }, /entry 1 is not/],
    ["a name twice", { HTTP_API_KEYS: `a=${sha256("k")},a=${sha256("l")}` }, /the name a is taken/],
    ["the name of callers without one", { HTTP_API_KEYS: `anybody=${sha256("k")}` }, /anybody is taken/],
    ["an origin with a path", { HTTP_CORS_ORIGINS: "https://shop.example/" }, /HTTP_CORS_ORIGINS: https/],
    ["any origin", { HTTP_CORS_ORIGINS: "*" }, /HTTP_CORS_ORIGINS: \*/],
    ["a host with a port", { HTTP_ALLOWED_HOSTS: "api.example:443" }, /HTTP_ALLOWED_HOSTS: api/],
  ])("%s", async (_, settings, text) => {
    const refused = serve(settings);
    await expect(refused).rejects.toMatchObject({
      code: "SETTINGS_INVALID",
      message: expect.stringMatching(text),
    });
    await expect(refused).rejects.not.toThrow("my-key");
  });

  it.each(["127.0.0.1", "127.1.2.3", "::1", "localhost"])(
    "but not %s, which is loopback",
    async (HTTP_HOST) => {
      await expect(serve({ HTTP_HOST })).resolves.toBeDefined();
    },
  );
});
