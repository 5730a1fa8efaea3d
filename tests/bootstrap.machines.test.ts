import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Checkout } from "./harness/checkout.js";

const run = promisify(execFile);
const ROWS = 40_000;

let checkout: Checkout;
beforeEach(async () => {
  checkout = await Checkout.create();
});
afterEach(() => checkout.remove());

test("two bootstraps at once on a new machine: one stack, one worker, just the rows asked for", async () => {
  const bootstraps = [1, 2].map(() => checkout.script("bootstrap.sh", "--local", "--rows", String(ROWS)));
  const outputs = await Promise.all(bootstraps);
  expect(outputs.filter(({ stderr }) => stderr.includes("another bootstrap is preparing")).length).toBe(1);
  const { runs } = JSON.parse(await checkout.payments("status", "--json"));
  expect(runs).toMatchObject([{ state: "done", rows: ROWS }]);
  expect(await checkout.payments("verify")).toContain("verified");
  const { stdout } = await run("pgrep", ["-fc", `${checkout.path}/dist/app/main.js worker`]);
  expect(stdout.trim()).toBe("1");
  const again = await checkout.script("bootstrap.sh", "--local", "--rows", String(ROWS));
  expect(again.stdout + again.stderr).toContain("nothing to start");
});
