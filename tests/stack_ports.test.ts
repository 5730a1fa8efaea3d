import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createHttpServer, httpPart } from "../lib/http/server.js";
import { silentLogger } from "../lib/observability/log.js";
import { createRegistry } from "../lib/observability/registry.js";
import { packageRoot } from "../lib/root.js";

const run = promisify(execFile);
const scripts = join(packageRoot, "scripts");
const folder = mkdtempSync(join(tmpdir(), "ports-"));
afterAll(() => rmSync(folder, { recursive: true }));

const stop: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of stop.splice(0)) {
    await end();
  }
});

/** Somebody else's program, on a port of its own. */
async function stranger(): Promise<number> {
  const server: Server = createServer((_, response) => response.end("hello\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stop.push(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

async function worker(): Promise<number> {
  const ending = new AbortController().signal;
  const operations = {
    registry: createRegistry(),
    dependencies: async () => ({}),
    replicas: () => [],
    critical: [],
    ending,
  };
  const server = await createHttpServer({ operations, logger: silentLogger });
  const served = httpPart(server, { host: "127.0.0.1", port: 0 });
  await served.start?.();
  stop.push(served.stop);
  return served.port();
}

/** What stands in the stack's state after some bash, which begins with `state`. */
async function stateAfter(
  state: Record<string, string | number>,
  bash: string,
  env: Record<string, string | number> = {},
): Promise<Record<string, string> & { said: string }> {
  const script = `set -euo pipefail
    source "$1/lib.sh"; source "$1/stack_ports.sh"
    declare -A STATE=(${Object.entries(state)
      .map(([name, value]) => `[${name}]='${value}'`)
      .join(" ")})
    ${bash}
    for name in "\${!STATE[@]}"; do printf '%s=%s\\n' "$name" "\${STATE[$name]}"; done`;
  const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
  const { PATH } = process.env;
  const { stdout, stderr } = await run("bash", ["--norc", "-pc", script, "test", scripts], {
    env: { PATH, PAYMENTS_ENV_FILE: "/dev/null", STACK_DIR: folder, ...given },
  });
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("=") as [string, string]);
  return { ...Object.fromEntries(lines), said: stderr };
}

const NAMES = [
  ["POSTGRES_PORT", "choose_port POSTGRES_PORT 5432"],
  ["RABBITMQ_PORT", "choose_port RABBITMQ_PORT 5672"],
  ["PROMETHEUS_PORT", "choose_port PROMETHEUS_PORT 9090"],
  ["WORKER_METRICS_PORT", "choose_process_port WORKER_METRICS_PORT 9464 worker worker_listens"],
];

describe.each(NAMES)("%s", (name, choose) => {
  let free: number;
  beforeAll(async () => {
    free = await stranger();
    for (const end of stop.splice(0)) {
      await end();
    }
  });

  it("is the one that was asked for, or a free one where that is taken", async () => {
    expect(await stateAfter({}, choose, { [name]: free })).toMatchObject({ [name]: String(free), said: "" });
    const taken = await stranger();
    const state = await stateAfter({}, choose, { [name]: taken });
    expect(state[name]).not.toBe(String(taken));
    expect(state.said).toContain(`port ${taken} (${name}) is taken, using ${state[name]} instead`);
  });

  it("stays when what `stack.sh env` exported comes back as a wish, and is no wish afterwards", async () => {
    const state = { [name]: String(free), [`WISH_${name}`]: "1234" };
    const chosen = { ...state, said: "" };
    expect(await stateAfter(state, choose, { [name]: free })).toEqual(chosen);
    expect(await stateAfter(state, choose, { [name]: 1234 })).toEqual(chosen);
  });

  it("moves when the user asks for another", async () => {
    const state = { [name]: 1235, [`WISH_${name}`]: 1234 };
    expect((await stateAfter(state, choose, { [name]: free }))[name]).toBe(String(free));
  });
});

it.each(["80", "65536", "08000", "http", "-1"])("a port may not be %s", async (port) => {
  await expect(
    stateAfter({}, "choose_port POSTGRES_PORT 5432", { POSTGRES_PORT: port }),
  ).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`POSTGRES_PORT is '${port}', but must be a port`),
  });
});

describe("the worker's port", () => {
  const CHOOSE = "choose_process_port WORKER_METRICS_PORT 9464 worker worker_listens";

  it("is kept while a worker listens there, and left to a stranger who took it", async () => {
    const ours = await worker();
    const kept = { WORKER_METRICS_PORT: ours, WISH_WORKER_METRICS_PORT: 9464 };
    expect((await stateAfter(kept, CHOOSE))["WORKER_METRICS_PORT"]).toBe(String(ours));
    const theirs = await stranger();
    const lost = await stateAfter({ ...kept, WORKER_METRICS_PORT: theirs }, CHOOSE);
    expect(lost["WORKER_METRICS_PORT"]).not.toBe(String(theirs));
    expect(lost.said).toContain(`port ${theirs} (WORKER_METRICS_PORT) is taken`);
  });

  it("stays though another is asked for while a worker has it, until the worker is to be restarted", async () => {
    const ours = await worker();
    const kept = { WORKER_METRICS_PORT: ours, WISH_WORKER_METRICS_PORT: 9464 };
    const wish = { WORKER_METRICS_PORT: 9555 };
    const state = await stateAfter(kept, CHOOSE, wish);
    const note = expect.stringMatching(
      /^test: worker still at work, .* stays \d+; scripts\/bootstrap\.sh .* to 9555.*\n$/,
    );
    expect(state).toEqual({
      WORKER_METRICS_PORT: String(ours),
      WISH_WORKER_METRICS_PORT: "9464",
      said: note,
    });
    const moved = await stateAfter(kept, CHOOSE, { ...wish, MOVE_PROCESSES: 1 });
    expect(moved["WISH_WORKER_METRICS_PORT"]).toBe("9555");
    expect(moved["WORKER_METRICS_PORT"]).not.toBe(String(ours));
  });

  it("may be 0, where workers serve nothing", async () => {
    const state = await stateAfter({}, CHOOSE, { WORKER_METRICS_PORT: 0 });
    expect(state["WORKER_METRICS_PORT"]).toBe("0");
  });
});
