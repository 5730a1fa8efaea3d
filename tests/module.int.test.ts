import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generatedFiles } from "../app/generate.js";
import { MODULES } from "../app/modules.js";
import { chooseModules } from "../app/serve.js";
import { packageRoot } from "../lib/root.js";
import { describedRoutes } from "../lib/runtime/module.js";
import { depth, publishByHand } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { Platform } from "./harness/platform.js";
import { startProgram } from "./harness/process.js";
import { desk } from "./module/desk/module.js";
import { DESK_QUEUES } from "./module/desk/queues.js";

/**
 * How a service joins, see docs/development.md: the folder tests/module/desk is a module, the list in tests/module/main.ts has
 * it, and nothing else was touched.
 */
const DESK = join(packageRoot, "tests", "module", "desk");
const LIST = [...MODULES, desk];
const MAIN = join(packageRoot, ".local", "module", "tests", "module", "main.js");

let platform: Platform;
let port: number;
let process: ReturnType<typeof startProgram>;
let url: string;

beforeAll(async () => {
  execFileSync("node_modules/.bin/tsc", ["-p", "tests/module", "--outDir", ".local/module"], {
    cwd: packageRoot,
  });
  platform = await Platform.create();
  port = await freePort();
  expect(await start({}, "migrate", "up").ended).toMatchObject({ code: 0, stderr: "" });
  url = `http://127.0.0.1:${port}`;
  process = start({ DESK_CONCURRENCY: 4, LOG_LEVEL: "info" }, "serve", "desk");
  await eventually("desk is ready", () => process.output.stderr.includes('"message":"ready"'));
});
afterAll(async () => {
  process?.child.kill("SIGTERM");
  await process?.ended;
  await platform?.close();
});

const start = (flags: Record<string, string | number>, ...args: string[]) =>
  startProgram(MAIN, { ...platform.settings, HTTP_PORT: port, ...flags }, ...args);
const get = (path: string) => fetch(`${url}${path}`);
const post = (body: object) =>
  fetch(`${url}/tickets`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const metric = async (series: string) =>
  (await (await get("/metrics")).text()).split("\n").find((line) => line.startsWith(series));

describe("a module that is a folder and an entry in the list has", () => {
  test("an endpoint, a queue whose messages it consumes, a table and a metric", async () => {
    const answer = await post({ subject: "no receipt", priority: "high" });
    expect(answer.status).toBe(202);
    const { id } = (await answer.json()) as { id: string };
    const entered = await eventually("the ticket", async () => {
      const found = await get(`/tickets/${id}`);
      return found.status === 200 && found.json();
    });
    expect(entered).toEqual({ id, subject: "no receipt", priority: "high" });
    await eventually("counted", async () =>
      (await metric('payments_desk_tickets_total{priority="high"}'))?.endsWith(" 1"),
    );
    expect(await platform.value("SELECT tickets FROM desk.audit_ticket WHERE priority = 'high'")).toBe(1);
  });

  test("refusals with codes of its own, and of its schemas", async () => {
    const unknown = await get("/tickets/00000000-0000-4000-8000-000000000000");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: "TICKET_UNKNOWN", retryable: false });
    const invalid = await post({ subject: "", priority: "high" });
    expect(invalid.status).toBe(400);
    expect(await invalid.json()).toMatchObject({
      code: "REQUEST_INVALID",
      errors: [{ pointer: "#/subject" }],
    });
  });

  test("dead letters, counted by code", async () => {
    expect(await publishByHand(platform.settings, DESK_QUEUES.work, '{"id":1}')).toBe(true);
    await eventually(
      "the dead letter",
      async () => (await depth(platform.settings, DESK_QUEUES.deadLetter)) === 1,
    );
    const series = 'payments_messages_dead_lettered_total{service="desk-service",code="MESSAGE_MALFORMED"}';
    await eventually("counted", async () => (await metric(series))?.endsWith(" 1"));
  });

  test("a page in the API's description, readiness, and a name that serve takes", async () => {
    const { paths } = (await (await get("/openapi.json")).json()) as { paths: object };
    // Those of services that run elsewhere are described too.
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(["/tickets", "/tickets/{id}", "/wallets"]));
    // Without a pool or a publisher behind them, as a process describes a module that it does not run.
    expect(describedRoutes([desk]).map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /tickets",
      "GET /tickets/:id",
    ]);
    expect(
      await metric('payments_http_requests_total{service="desk-service",route="/tickets",method="POST"'),
    ).toMatch(/status="202"} [1-9]/);
    const ready = { ready: true, dependencies: { postgres: "up", rabbitmq: "up" } };
    expect(await (await get("/readyz")).json()).toEqual(ready);
    expect(chooseModules([], LIST)).toContain(desk);
  });

  test("a command", async () => {
    expect((await post({ subject: "late", priority: "low" })).status).toBe(202);
    await eventually("entered", async () => {
      const { code, stdout } = await start({}, "tickets", "--json").ended;
      return code === 0 && (JSON.parse(stdout) as Record<string, number>)["low"] === 1;
    });
  });

  test("its settings, checked, in .env.example and, with all else it owns, in the docs", async () => {
    const wrong = await start({ DESK_CONCURRENCY: 0 }, "tickets").ended;
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("DESK_CONCURRENCY") });
    const unknown = await start({ DESK_NOPE: 1 }, "status").ended;
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("DESK_NOPE: unknown setting") });
    const files = await generatedFiles(LIST);
    expect(files[".env.example"]).toContain("#DESK_CONCURRENCY=2");
    expect(files["docs/metrics.md"]).toContain("`payments_desk_tickets_total`");
    for (const name of ["desk", "DESK_", "desk_queue.dlq", "TICKET_UNKNOWN", "desk.audit_ticket"]) {
      expect(files["docs/modules.md"]).toContain(`\`${name}\``);
    }
  });

  test("and needs of ours nothing but lib", () => {
    const files = readdirSync(DESK, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".ts"),
    );
    const text = files.map((file) => readFileSync(join(DESK, file), "utf8")).join("\n");
    const foreign = [...text.matchAll(/from "((?:\.\.\/){3,4}[^"]+)"/g)].map(([, path = ""]) =>
      path.replace(/^(\.\.\/)+/, ""),
    );
    expect(foreign.length).toBeGreaterThan(10);
    expect(foreign.filter((path) => !path.startsWith("lib/"))).toEqual([]);
  });
});

describe("refused with one line, a code and exit status 2:", () => {
  const refused = async (code: string, text: string, started: ReturnType<typeof startProgram>) => {
    const { code: exit, stderr } = await started.ended;
    const lines = stderr.split("\n").filter((line) => line.startsWith("payments: "));
    expect({ exit, lines }).toEqual({ exit: 2, lines: [expect.stringContaining(`payments: ${code}: `)] });
    expect(lines[0]).toContain(text);
    expect(stderr).not.toMatch(/^ +at /m);
  };

  test.each([
    [
      "an unknown module",
      ["etll"],
      `there is no module etll. There are: ${LIST.map(({ name }) => name).join(", ")}.`,
    ],
    ["a module twice", ["desk", "jobs", "desk"], "module desk is named twice."],
  ])("%s", (_, names, text) => refused("MODULE_UNKNOWN", text, start({}, "serve", ...names)));

  test.each([
    ["a queue of two modules", "queue", "queue desk_queue is claimed by desk and by queue"],
    ["a setting without a prefix of its module", "setting", "setting ROWS has no prefix of module setting"],
    ["a view in a schema of another", "view", "view desk.audit_ticket is claimed by desk and by view"],
    ["a command of two modules", "command", "two modules want the command tickets"],
  ])("%s, whatever is run", async (_, name, text) => {
    await refused("MODULE_INVALID", text, start({ TEST_MODULES: name }, "serve", "desk"));
    await refused("MODULE_INVALID", text, start({ TEST_MODULES: name }, "status"));
  });

  test.each([
    ["a path of two modules", "path", "GET /tickets/:name"],
    ["a path of every process", "scraped", "GET /metrics"],
  ])("%s", async (_, name, text) => {
    const flags = { TEST_MODULES: name, HTTP_PORT: await freePort() };
    await refused("MODULE_INVALID", `two routes want ${text}`, start(flags, "serve", "desk", name));
  });

  test("an address beyond loopback without API keys", async () => {
    const text = "HTTP_API_KEYS: HTTP_HOST 0.0.0.0 is not loopback, and no key is set.";
    const flags = { HTTP_HOST: "0.0.0.0", HTTP_PORT: await freePort() };
    await refused("SETTINGS_INVALID", text, start(flags, "serve", "desk"));
  });

  test("a port of two modules", async () => {
    const text = `port ${port} is wanted by port and by the API (HTTP_PORT).`;
    await refused("SETTINGS_INVALID", text, start({ TEST_MODULES: "port" }, "serve", "desk", "port"));
    const metrics = { WORKER_METRICS_PORT: port };
    const other = `port ${port} is wanted by etl and by the API (HTTP_PORT).`;
    await refused("SETTINGS_INVALID", other, start(metrics, "serve", "etl", "desk"));
  });
});

test("settings of a module that does not run are not looked at; the log says so once, for whoever looks for them", async () => {
  const flags = { WORKER_CONCURRENCY: "many", LOG_LEVEL: "debug", HTTP_PORT: await freePort() };
  const started = start(flags, "serve", "desk");
  await eventually("ready", () => started.output.stderr.includes('"message":"ready"'));
  started.child.kill("SIGTERM");
  expect(await started.ended).toMatchObject({ code: 0 });
  const said = started.output.stderr.split("\n").filter((line) => line.includes("do not run here"));
  expect(said).toHaveLength(1);
  expect(JSON.parse(said[0] ?? "")).toMatchObject({
    level: "debug",
    ignored: expect.arrayContaining(["WORKER_CONCURRENCY"]),
  });
});
