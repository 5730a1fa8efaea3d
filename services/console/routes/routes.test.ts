import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EtlError } from "../../../etl/errors.js";
import { CoreError } from "../../../lib/core_errors.js";
import { type Logger, silentLogger } from "../../../lib/observability/log.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { packageRoot } from "../../../lib/root.js";
import { aborted, deferred } from "../../../lib/timing.js";
import { closeServers, type ServeOptions, serveApi } from "../../../tests/harness/http.js";
import { Access, type AccessSettings } from "../access.js";
import { Actions } from "../actions.js";
import type { Letter } from "../contracts/queues.js";
import { ConsolePage } from "../page.js";
import type { PlatformActions } from "../platform_actions.js";
import type { Poller } from "../poller.js";
import type { NewAction } from "../store/action.js";
import { OverviewStream } from "../stream.js";
import { consoleRoutes } from "./routes.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "console-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>console</title>");
  writeFileSync(join(folder, "icon.svg"), "<svg/>");
  writeFileSync(join(folder, "assets", "index-1a2b3c4d.js"), "export {};");
  writeFileSync(join(folder, "assets", "licenses.md"), "# Licenses");
  writeFileSync(join(folder, "secret.key"), "of no type that a page has");
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(closeServers);

const LOOPBACK: AccessSettings = {
  HTTP_HOST: "127.0.0.1",
  HTTP_ALLOWED_HOSTS: "",
  HTTP_TRUSTED_PROXIES: "",
  HTTP_API_KEYS: "",
  CONSOLE_PASSWORD: "",
  CONSOLE_VIEWER_PASSWORD: "",
  CONSOLE_SESSION_S: 600,
};
const WITH_PASSWORD = { ...LOOPBACK, CONSOLE_PASSWORD: "act", CONSOLE_VIEWER_PASSWORD: "look" };

interface Fakes extends ServeOptions {
  readonly access?: AccessSettings;
  readonly actions?: Actions;
  readonly platformActions?: Partial<PlatformActions>;
  readonly look?: () => Promise<void>;
  readonly pageAt?: string;
  readonly streams?: number;
  readonly logger?: Logger;
  readonly query?: () => Promise<unknown>;
}

const away = () => Promise.reject(new CoreError("POSTGRES_UNREACHABLE", "there is none."));

/** Without servers: whatever is asked of a database is refused, unless a test says what it answers. */
function serve({
  access = LOOPBACK,
  actions,
  platformActions = {},
  look = async () => undefined,
  pageAt = folder,
  streams = 10,
  logger = silentLogger,
  query = away,
  ...options
}: Fakes = {}) {
  const pool = { query } as unknown as Pool;
  const stream = new OverviewStream(streams);
  const looked = { as_of: "2026-01-01T00:00:00.000Z" };
  const poller = {
    overview: () => look().then(() => looked),
    history: [],
    queues: { items: [], asOf: null },
  };
  const routes = consoleRoutes({
    ...{ pool, reads: pool, logger, stream, access: new Access(access) },
    actions: actions ?? new Actions({ pool, logger: silentLogger }),
    platformActions: platformActions as PlatformActions,
    poller: poller as unknown as Poller,
    page: new ConsolePage(pageAt),
  });
  return { stream, server: serveApi(routes, options) };
}

const json = { "content-type": "application/json" };
const key = (value = "k1") => ({ ...json, "idempotency-key": value });

describe("the page", () => {
  it("is served with a policy that has nothing from elsewhere", async () => {
    const server = await serve().server;
    const page = await server.inject("/");
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain("<title>console</title>");
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringMatching(
        /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/,
      ),
    });
    expect(page.headers["content-security-policy"]).not.toContain("unsafe");
    const script = await server.inject("/assets/index-1a2b3c4d.js");
    expect([script.headers["content-type"], script.headers["cache-control"]]).toEqual([
      "text/javascript; charset=utf-8",
      "public, max-age=31536000, immutable",
    ]);
    const licenses = await server.inject("/assets/licenses.md");
    expect([licenses.headers["content-type"], licenses.headers["cache-control"]]).toEqual([
      "text/plain; charset=utf-8",
      "no-cache",
    ]);
    expect((await server.inject("/icon.svg")).headers["content-type"]).toBe("image/svg+xml");
  });

  it.each(["/assets/other.js", "/assets/..%2Findex.html", "/assets/..%2Fsecret.key", "/secret.key"])(
    "has no %s",
    async (url) => {
      expect((await (await serve().server).inject(url)).statusCode).toBe(404);
    },
  );

  it.each(["haproxy.cfg", "haproxy_split.cfg"])("is all behind the proxy of %s", (name) => {
    const text = readFileSync(join(packageRoot, "compose", name), "utf8");
    const [, paths = ""] = /use_backend console if \{ path (.*?) \}/.exec(text) ?? [];
    const files = readdirSync(join(packageRoot, "console", "public")).map((file) => `/${file}`);
    expect(paths.split(" ").toSorted()).toEqual(["/", "/index.html", ...files].toSorted());
  });

  it("that is not built says so", async () => {
    const answer = await (await serve({ pageAt: join(folder, "missing") }).server).inject("/");
    expect(answer.json()).toMatchObject({ code: "CONSOLE_NOT_BUILT" });
  });
});

describe("whoever asks", () => {
  const settings = { HTTP_API_KEYS: `program=${"0".repeat(64)}` };

  it("needs no API key, and is told who it is", async () => {
    const me = await (await serve({ settings }).server).inject("/console/api/me");
    expect(me.json()).toMatchObject({ role: "operator", password: false });
    expect(me.headers["cache-control"]).toBe("no-store");
  });

  it("is nobody until it has signed in, and a viewer may not act", async () => {
    const server = await serve({ access: WITH_PASSWORD, settings }).server;
    expect((await server.inject("/console/api/me")).json()).toMatchObject({ role: null, password: true });
    for (const url of ["/console/api/queues", "/console/stream"]) {
      expect((await server.inject(url)).json()).toMatchObject({ status: 401, code: "CONSOLE_SIGNED_OUT" });
    }
    const payload = JSON.stringify({ password: "look", name: "Ana" });
    const signedIn = await server.inject({
      ...{ method: "POST", url: "/console/api/session", headers: json, payload },
    });
    expect(signedIn.json()).toMatchObject({ role: "viewer", name: "Ana" });
    const cookie = String(signedIn.headers["set-cookie"]).split(";")[0] ?? "";
    expect((await server.inject({ url: "/console/api/queues", headers: { cookie } })).statusCode).toBe(200);
    const acted = await server.inject({
      ...{ method: "POST", url: "/console/api/runs/r1/cancel", headers: { ...key(), cookie } },
      payload: JSON.stringify({ reason: "try" }),
    });
    expect(acted.json()).toMatchObject({ status: 403, code: "CONSOLE_READ_ONLY" });
    const out = await server.inject({ method: "DELETE", url: "/console/api/session", headers: { cookie } });
    expect(out.json()).toMatchObject({ role: null });
    expect(out.headers["set-cookie"]).toContain("Max-Age=0");
  });

  it("leaves a line in the log, whether it is let in or not, and never the password", async () => {
    const lines: object[] = [];
    const logger = {
      ...silentLogger,
      info: (line: object) => lines.push(line),
      warn: (line: object) => lines.push(line),
    };
    const server = await serve({ access: WITH_PASSWORD, settings, logger: logger as unknown as Logger })
      .server;
    for (const password of ["a wrong one", "act"]) {
      const payload = JSON.stringify({ password, name: "Ana" });
      await server.inject({
        method: "POST",
        url: "/console/api/session",
        headers: json,
        payload,
        remoteAddress: "10.1.0.2",
      });
    }
    const who = { trace_id: expect.any(String), address: "10.1.0.2", who: "Ana" };
    expect(lines).toEqual([
      { ...who, code: "CONSOLE_PASSWORD_REFUSED" },
      { ...who, role: "operator" },
    ]);
  });
});

describe("an action", () => {
  const act = async (headers: Record<string, string>, body: object, options: Fakes = {}) =>
    (await serve(options).server).inject({
      ...{ method: "POST", url: "/console/api/letters/abandon", headers },
      payload: JSON.stringify(body),
    });
  const body = { queue: "wallet.dlq", all: true, expected: 2, reason: "they are tests" };

  it.each<[string, Record<string, string>, object, string]>([
    ["without a key", json, body, "IDEMPOTENCY_KEY_INVALID"],
    ["without a reason", key(), { ...body, reason: " . " }, "REQUEST_INVALID"],
    ["with two selections", key(), { ...body, code: "X" }, "REQUEST_INVALID"],
    ["that says not how many", key(), { ...body, expected: undefined }, "REQUEST_INVALID"],
    ["of a form", { ...key(), "content-type": "text/plain" }, body, "CONTENT_TYPE_UNSUPPORTED"],
    ["from another port", { ...key(), "sec-fetch-site": "same-site" }, body, "ORIGIN_REFUSED"],
  ])("%s is refused", async (_, headers, asked, code) => {
    expect((await act(headers, asked)).json()).toMatchObject({ code });
  });

  it("of a page that may call the API is refused all the same", async () => {
    const origin = "https://shop.example";
    const headers = { ...key(), "sec-fetch-site": "cross-site", origin };
    const answer = await act(headers, body, { settings: { HTTP_CORS_ORIGINS: origin } });
    expect(answer.json()).toMatchObject({ code: "ORIGIN_REFUSED" });
  });

  it.each([
    ["/console/api/months/2025-01/heal", "/console/api/months/2025-02/heal", true],
    ["/console/api/runs/r1/verify", "/console/api/runs/r2/verify", true],
    ["/console/api/runs/r1/cancel", "/console/api/runs/r2/cancel", false],
    ["/console/api/runs/r1/cancel", "/console/api/runs/r1/resume", true],
    ["/console/api/runs/r1/cancel", "/console/api/runs/r1/verify", false],
  ])("%s and %s wait for each other: %s", async (one, other, wait) => {
    const things: unknown[] = [];
    const entering = { begin: async ({ thing }: NewAction) => things.push(thing) } as unknown as Actions;
    const server = await serve({ actions: entering }).server;
    const payload = JSON.stringify({ reason: "a test" });
    for (const url of [one, other]) {
      await server.inject({ method: "POST", url, headers: key(), payload });
    }
    expect([things.length, new Set(things).size]).toEqual([2, wait ? 1 : 2]);
  });

  it("is not done where it cannot be recorded", async () => {
    let done = 0;
    const abandonLetters = async () => ({ done: ++done });
    expect((await act(key(), body, { platformActions: { abandonLetters } })).statusCode).toBe(503);
    expect(done).toBe(0);
  });
});

describe("dead letters", () => {
  const letters = Array.from(
    { length: 5 },
    (_, i): Letter => ({
      ...{
        id: `m${i}`,
        code: i === 1 ? "A" : "B",
        reason: "<script>",
        attempts: 1,
        event: null,
        from_queue: null,
      },
      ...{ trace_id: null, first_failed_at: null, last_failed_at: null, bytes: 2, preview: "{}" },
    }),
  );

  it("come by pages and codes, and all pages are of one look", async () => {
    let looks = 0;
    const seeLetters = async () => {
      looks += 1;
      return { total: 7, letters };
    };
    const server = await serve({ platformActions: { seeLetters } }).server;
    const at = (query: string) => server.inject(`/console/api/queues/wallet.dlq/letters?${query}`);
    const first = (await at("limit=2&code=B")).json();
    expect(first).toMatchObject({
      total: 7,
      codes: [
        { code: "B", letters: 4 },
        { code: "A", letters: 1 },
      ],
    });
    const second = (await at(`limit=2&code=B&cursor=${first.next}`)).json();
    const ids = [...first.items, ...second.items].map(({ id }: Letter) => id);
    expect([ids, second.next, looks]).toEqual([["m0", "m2", "m3", "m4"], null, 1]);
    expect((await at("cursor=x")).json()).toMatchObject({ code: "REQUEST_INVALID" });
  });

  it("that are asked for by an id take the queue in hand once, and for one that is not there never", async () => {
    const taken: string[] = [];
    const platformActions: Partial<PlatformActions> = {
      seeLetters: async () => ({ total: 5, letters }),
      readLetter: async ({ id }) => {
        taken.push(id);
        const letter = letters.find((each) => each.id === id) as Letter;
        return { letter, encoding: "utf8", body: "{}", properties: {}, headers: {} };
      },
    };
    const server = await serve({ platformActions }).server;
    const at = async (id: string) =>
      (await server.inject(`/console/api/queues/wallet.dlq/letters/${id}`)).json();
    expect(await at("m1")).toMatchObject({ letter: { id: "m1" }, body: "{}" });
    expect(await at("m1")).toMatchObject({ letter: { id: "m1" } });
    expect(await at("none")).toMatchObject({ code: "CONSOLE_NOT_FOUND" });
    expect(taken).toEqual(["m1"]);
  });

  it("go back when whoever had them looked through has left", async () => {
    const [begun, left] = [deferred<void>(), deferred<void>()];
    const foretellLetters: PlatformActions["foretellLetters"] = async (_, signal) => {
      begun.resolve();
      await aborted(signal);
      left.resolve();
      throw new CoreError("INTERRUPTED", "nobody waits.");
    };
    const listening = await serve({ platformActions: { foretellLetters } }).server;
    await listening.listen({ host: "127.0.0.1", port: 0 });
    const { port } = listening.server.address() as AddressInfo;
    const path = "/console/api/letters/preview";
    const asked = request({ host: "127.0.0.1", port, path, method: "POST", headers: json });
    asked.on("error", () => undefined);
    asked.end(JSON.stringify({ queue: "wallet.dlq", code: "A" }));
    await begun.promise;
    asked.destroy();
    await left.promise;
  });
});

describe("a month's shapes", () => {
  const read = { rows: 1, shapes: [] };
  const query = async () => ({ rows: [{ content: "16384 r1" }] });
  const at = async (server: ReturnType<typeof serve>["server"], month = "2025-01") =>
    (await (await server).inject(`/console/api/data/profile?month=${month}`)).json();

  it("are read once for all who ask, as long as its content is the same", async () => {
    let readings = 0;
    let content = "16384 r1";
    const profileMonth = async () => ({ ...read, rows: ++readings });
    const { server } = serve({
      platformActions: { profileMonth },
      query: async () => ({ rows: [{ content }] }),
    });
    const [one, other] = await Promise.all([at(server), at(server)]);
    expect([one, other, await at(server)]).toEqual([one, one, one]);
    expect(one).toEqual({ month: "2025-01", rows: 1, shapes: [], as_of: expect.any(String) });
    content = "16384 r1 r2";
    expect(await at(server)).toMatchObject({ rows: 2 });
    content = "16385 r1 r2";
    expect(await at(server)).toMatchObject({ rows: 3 });
    expect(await at(server, "2025-02")).toMatchObject({ month: "2025-02", rows: 4 });
  });

  it("of a month that is not published are a problem, and looked for anew", async () => {
    let asked = 0;
    const profileMonth = async () => {
      asked += 1;
      throw new EtlError("MONTH_UNKNOWN", "2031-01 is not published.");
    };
    const { server } = serve({ platformActions: { profileMonth }, query });
    for (let tries = 1; tries <= 2; tries++) {
      expect(await at(server, "2031-01")).toMatchObject({ status: 404, code: "MONTH_UNKNOWN" });
      expect(asked).toBe(tries);
    }
    expect(await at(server, "2031-13")).toMatchObject({ status: 400, code: "REQUEST_INVALID" });
    expect(asked).toBe(2);
  });

  it("are read of one month at a time; some wait, and more are refused", async () => {
    const ends: (() => void)[] = [];
    const profileMonth = async () => {
      const end = deferred<void>();
      ends.push(end.resolve);
      await end.promise;
      return read;
    };
    const { server } = serve({ platformActions: { profileMonth }, query });
    const months = ["01", "02", "03", "04", "05"].map((month) => at(server, `2025-${month}`));
    expect(await Promise.race(months)).toMatchObject({ status: 503, code: "OVERLOADED" });
    for (let ended = 0; ended < 4; ended++) {
      await expect.poll(() => ends.length).toBe(ended + 1);
      ends[ended]?.();
    }
    const answers = await Promise.all(months);
    expect(answers.filter(({ rows }) => rows === 1)).toHaveLength(4);
  });
});

it("a page follows by one answer, and too many are refused", async () => {
  const { stream, server } = serve({ streams: 1 });
  stream.tell(5, { n: 5 });
  const listening = await server;
  await listening.listen({ host: "127.0.0.1", port: 0 });
  const { port } = listening.server.address() as AddressInfo;
  const asked = get({ host: "127.0.0.1", port, path: "/console/stream", headers: { "last-event-id": "4" } });
  const [answer] = await once(asked, "response");
  expect(answer.headers).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  const [first] = await once(answer, "data");
  expect(String(first)).toContain('id: 5\nevent: overview\ndata: {"n":5}\n\n');
  stream.tell(6, { n: 6 });
  const [next] = await once(answer, "data");
  expect(String(next)).toBe('id: 6\nevent: overview\ndata: {"n":6}\n\n');
  expect((await listening.inject("/console/stream")).json()).toMatchObject({
    status: 503,
    code: "OVERLOADED",
  });
  asked.destroy();
});

it("of pages that come all at once as many follow as may", async () => {
  let asking = 0;
  const all = deferred<void>();
  const look = () => {
    asking += 1;
    if (asking === 5) {
      all.resolve();
    }
    return all.promise;
  };
  const { stream, server } = serve({ streams: 2, look });
  const listening = await server;
  await listening.listen({ host: "127.0.0.1", port: 0 });
  const { port } = listening.server.address() as AddressInfo;
  const asked = Array.from({ length: 5 }, () => get({ host: "127.0.0.1", port, path: "/console/stream" }));
  const answers = await Promise.all(asked.map((each) => once(each, "response")));
  expect(answers.map(([{ statusCode }]) => statusCode).toSorted()).toEqual([200, 200, 503, 503, 503]);
  expect(stream.pages).toBe(2);
  for (const each of asked) {
    each.destroy();
  }
});

it("the page of the API leaves the console out", async () => {
  const document = (await (await serve().server).inject("/openapi.json")).body;
  expect(document).not.toContain("/console");
});
