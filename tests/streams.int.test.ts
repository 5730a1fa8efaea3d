import { type ChildProcess, execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../jobs/backup/server.js";
import { packageRoot } from "../lib/root.js";
import { numbered, plant } from "./harness/dead_letters.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { type CommandResult, payments, startShell } from "./harness/process.js";

let platform: Platform;
let dir: string;
beforeAll(async () => {
  platform = await Platform.create({ LOG_LEVEL: "info", STAGE_TO: "2025-02-01" });
  dir = mkdtempSync(join(tmpdir(), "payments-streams-"));
  await payments(platform.settings, "dlq", "list"); // declares the queues
  await plant(platform.settings, numbered(2_000));
});
afterAll(async () => {
  for (const child of children) {
    child.kill("SIGKILL");
  }
  await platform.close();
  rmSync(dir, { recursive: true });
});

type Program = "payments" | "backups";

const children: ChildProcess[] = [];
const start = (program: Program, script: string, more: Record<string, string | number> = {}) => {
  const command = startShell({ ...platform.settings, BACKUP_DIR: dir, ...more }, program, script);
  children.push(command.child);
  return command;
};
const run = (program: Program, script: string): Promise<CommandResult> => start(program, script).ended;
const bash = (script: string) => promisify(execFile)("bash", ["-c", script], { cwd: packageRoot });

/** One line, and nothing of Node's own. */
const OUTPUT_LOST = /^(payments: OUTPUT_LOST: |\{"error":\{"code":"OUTPUT_LOST")[^\n]*\n$/;

describe("what a command prints", () => {
  test.concurrent.each([
    ["payments", "status"],
    ["payments", "kickoff --help"],
    ["backups", "list"],
  ] as const)("%s %s: a full disk ends it with 1 and a code", async (program, args) => {
    const { code, stderr } = await run(program, `exec "$@" ${args} >/dev/full`);
    expect(stderr).toMatch(OUTPUT_LOST);
    expect(code).toBe(1);
  });

  test.concurrent.each([
    ["payments", "status"],
    ["payments", "--help"],
    ["backups", "list"],
  ] as const)("%s %s: a reader that has gone is no error", async (program, args) => {
    expect(await run(program, `"$@" ${args} | true`)).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test.concurrent("so it is when it comes letter by letter, and when only the end is lacking", async () => {
    const full = await run("payments", 'exec "$@" dlq list --json >/dev/full');
    expect([full.code, full.stderr]).toEqual([1, expect.stringMatching(OUTPUT_LOST)]);
    const gone = await run("payments", '"$@" dlq list --json | head -c 1');
    expect(gone).toEqual({ code: 0, stdout: "{", stderr: "" });
    const cut = await run("payments", `ulimit -f 1; exec "$@" dlq list >${join(dir, "cut")}`);
    expect(readFileSync(join(dir, "cut")).length).toBe(1_024); // bash counts in these
    expect([cut.code, cut.stderr]).toEqual([1, expect.stringMatching(OUTPUT_LOST)]);
  });

  test.concurrent.each([
    ["nonsense", "2>/dev/full", 2],
    ["status r99", "2>/dev/full", 2],
    ["status r99", "2>&-", 2],
    ["status r99", "2> >(true)", 2],
  ])("%s %s: the exit status is the same when nobody hears why", async (args, silent, code) => {
    expect((await run("payments", `exec "$@" ${args} ${silent}`)).code).toBe(code);
  });
});

test("workers whose log goes nowhere, and those who watch them, work on to the end", async () => {
  const port = await freePort();
  const started = [
    start("payments", 'exec "$@" worker 2>/dev/full', { WORKER_METRICS_PORT: port }),
    start("payments", 'exec "$@" worker 2>&-', { WORKER_METRICS_PORT: 0 }),
    start("payments", 'exec "$@" worker 2> >(exec head -n 1 >/dev/null)', { WORKER_METRICS_PORT: 0 }),
  ];
  const watched = start(
    "payments",
    'exec "$@" kickoff --rows 20000 --chunk-rows 2000 --wait >/dev/full 2>&1',
  );
  expect((await watched.ended).code).toBe(1);
  expect(await platform.value("SELECT state FROM etl.run")).toBe("done");
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(Number(/^payments_log_lines_lost_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
  for (const { child } of started) {
    child.kill("SIGTERM");
  }
  for (const { ended } of started) {
    expect((await ended).code).toBe(0);
  }
});

describe("scripts", () => {
  test.each(["2>/dev/full", "2>&-"])("go on without words with %s", async (streams) => {
    const script = "set -euo pipefail; source scripts/lib.sh; note one; ls / >&2 || [[ $? == 2 ]]; echo done";
    expect((await bash(`bash -c '${script}' ${streams}`)).stdout).toBe("done\n");
  });

  test("leave nothing running that nobody could find again", async () => {
    // A folder that is not there takes no pid file, like a disk that is full.
    const spawned = bash(`source scripts/lib.sh; spawn ${dir}/none/x.pid ${dir}/log tail -f ${dir}/log`);
    await expect(spawned).rejects.toMatchObject({ stderr: expect.stringContaining("is there room") });
    const running = () => promisify(execFile)("pgrep", ["-f", `^tail -f ${dir}`]).then(() => true);
    await eventually("its end", async () => !(await running().catch(() => false)));
  });
});
