import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { outputOf, start } from "../lib/process/run.js";
import { packageRoot } from "../lib/root.js";
import { type Collection, runCollection, testsOf } from "./harness/postman.js";
import { payments } from "./harness/process.js";
import { Services } from "./harness/service.js";

/** All services, as `payments serve` runs them, a reporter, and what docs/ says of how to call them. */
let services: Services;
let reporter: Services;
beforeAll(async () => {
  services = await Services.create({});
  await payments(services.settings, "wallets", "seed");
  await services.start();
  reporter = await Services.on(services.platform, "reporter");
  await reporter.start();
});
afterAll(async () => {
  await reporter?.leave();
  await services?.close();
});

const read = (name: string) => readFileSync(join(packageRoot, "docs", name), "utf8");
const collection = JSON.parse(read("postman_collection.json")) as Collection;

test("each line of docs/api.md is answered as the page says", async () => {
  const page = read("api.md");
  const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block).join("\n");
  const said = [...lines.matchAll(/^# (\w+ \S+), (\d+): /gm)].map(([, call, status]) => ({ call, status }));
  const curl = `curl() { command curl --silent --show-error --write-out '%{stderr}%{http_code}\\n' "$@"; }`;
  const shell = start(["bash", "--norc", "-c", `${curl}\n${lines}`], {
    env: { API: services.url, REPORTER: reporter.url },
  });
  const output = outputOf(shell);
  await once(shell, "close");
  const statuses = output.stderr.trim().split("\n");
  expect(said.map(({ call }, i) => ({ call, status: statuses[i] }))).toEqual(said);
  expect(statuses.length).toBe(said.length);
});

test.each([
  ["as it stands", ""],
  ["with a slash at its path's end", "/"],
])("each request of the collection, %s, passes its tests", async (_, slash) => {
  const change = (url: string) => url.replace(/\/?(?=\?|$)/, slash);
  const urls = { base_url: services.url, reporter_url: reporter.url };
  expect(await runCollection(collection, { urls, change })).toEqual(testsOf(collection));
});

test("the collection has every endpoint of /openapi.json", async () => {
  const { paths } = (await services.get("/openapi.json")).body as { paths: Record<string, object> };
  const endpoints = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const asked = collection.item.flatMap(({ item }) => item.map(({ name }) => name));
  expect(asked.toSorted()).toEqual(endpoints.toSorted());
});
