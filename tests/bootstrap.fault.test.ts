import { execFile } from "node:child_process";
import { chmod, cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packageRoot } from "../lib/root.js";

const run = promisify(execFile);
const ROWS = 40_000;

let checkout: string;
/** Nothing of the test's own settings. */
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  // A checkout of its own: bootstrap compiles, and other tests run what is compiled here. With a blank in its name.
  const dir = await mkdtemp(join(tmpdir(), "pay "));
  await chmod(dir, 0o755); // PostgreSQL runs as another user when we are root
  checkout = join(dir, "checkout");
  const { stdout } = await run("git", ["ls-files", "-co", "--exclude-standard"], { cwd: packageRoot });
  const copy = (file: string) => cp(join(packageRoot, file), join(checkout, file)).catch(ignoreMissing);
  await Promise.all(stdout.trim().split("\n").map(copy));
  await symlink(join(packageRoot, "node_modules"), join(checkout, "node_modules"));
  const { PATH, HOME } = process.env;
  env = { PATH, HOME, NO_COLOR: "1", STACK_DIR: join(dir, "s"), STACK_PORTS: "free", STACK_MEMORY_MB: "512" };
});
afterEach(async () => {
  await script("stack.sh", "reset", "--yes");
  await rm(dirname(checkout), { recursive: true });
});

/** Deleted and not yet committed. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") {
    throw error;
  }
}

function script(name: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(join(checkout, "scripts", name), args, { env });
}

async function payments(...args: string[]): Promise<string> {
  const command = 'eval "$(scripts/stack.sh env)" && exec node dist/app/main.js "$@"';
  return (await run("bash", ["-c", command, "payments", ...args], { env, cwd: checkout })).stdout;
}

test("two bootstraps at once on a new machine: one stack, one worker, just the rows asked for", async () => {
  const bootstraps = [1, 2].map(() => script("bootstrap.sh", "--local", "--rows", String(ROWS)));
  const outputs = await Promise.all(bootstraps);
  expect(outputs.filter(({ stderr }) => stderr.includes("another bootstrap is preparing")).length).toBe(1);
  const { runs } = JSON.parse(await payments("status", "--json"));
  expect(runs).toMatchObject([{ state: "done", rows: ROWS }]);
  expect(await payments("verify")).toContain("verified");
  const { stdout } = await run("pgrep", ["-fc", `${checkout}/dist/app/main.js worker`]);
  expect(stdout.trim()).toBe("1");
  const again = await script("bootstrap.sh", "--local", "--rows", String(ROWS));
  expect(again.stdout + again.stderr).toContain("nothing to start");
});
