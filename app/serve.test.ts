import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineRoute } from "../lib/http/route.js";
import { silentLogger } from "../lib/observability/log.js";
import { defineModule } from "../lib/runtime/module.js";
import { baseSettings } from "../lib/settings/base.js";
import { eventually } from "../tests/harness/eventually.js";
import { freePort } from "../tests/harness/free_port.js";
import { MODULES } from "./modules.js";
import { chooseModules, serve } from "./serve.js";

const chosen = (...names: string[]) => chooseModules(names, MODULES).map(({ name }) => name);

describe("the modules that payments serve runs", () => {
  it("are those named, in their order", () => {
    expect(chosen("jobs", "etl")).toEqual(["jobs", "etl"]);
  });

  it("are all services when none is named: worker and jobs are processes of their own", () => {
    const services = MODULES.map(({ name }) => name).filter(
      (name) => !["etl", "jobs", "platform", "gateway-simulator", "reporter", "traffic"].includes(name),
    );
    expect(chosen()).toEqual(services);
  });

  it.each([
    ["is none", ["etll"], "there is no module etll"],
    ["stands twice", ["etl", "jobs", "etl"], "module etl is named twice"],
  ])("a name that %s is a usage error", (_, names, text) => {
    expect(() => chosen(...names)).toThrow(text);
    expect(() => chosen(...names)).toThrow(expect.objectContaining({ code: "MODULE_UNKNOWN", exitCode: 2 }));
  });
});

describe("a process that is told to end", () => {
  const greet = defineRoute({
    method: "GET",
    path: "/greeting",
    summary: "Greets",
    answers: { 200: z.string() },
    handle: async () => ({ status: 200, body: "hello" }),
  });
  const greeter = defineModule({ name: "greeter", start: () => ({ parts: [], routes: [greet] }) });

  it("says so at once and serves on for HTTP_DRAIN_MS, then its port refuses", async () => {
    const HTTP_DRAIN_MS = 2_000;
    const settings = baseSettings.schema.parse({ HTTP_PORT: await freePort(), HTTP_DRAIN_MS });
    const statusOf = (path: string) =>
      fetch(`http://127.0.0.1:${settings.HTTP_PORT}${path}`).then(
        ({ status }) => status,
        () => "refused",
      );
    const told = new AbortController();
    const modules = [greeter];
    const ended = serve({ modules, all: modules, settings, logger: silentLogger, signal: told.signal });
    await eventually("ready", async () => (await statusOf("/readyz")) === 200);
    expect(await statusOf("/livez")).toBe(200);
    const since = performance.now();
    told.abort();
    expect([await statusOf("/livez"), await statusOf("/readyz"), await statusOf("/greeting")]).toEqual([
      404, 503, 200,
    ]);
    await ended;
    // A timer may fire a fraction of a millisecond early.
    expect(performance.now() - since).toBeGreaterThan(HTTP_DRAIN_MS - 5);
    expect(await statusOf("/greeting")).toBe("refused");
  });
});
