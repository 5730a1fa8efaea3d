import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AllSettings } from "../app/settings.js";
import { packageRoot } from "../lib/root.js";
import { createDatabase } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { payments, startProgram, WorkerProcess } from "./harness/process.js";

/** The last commit of the release before modules: its code and its databases must live beside this one's. */
const BEFORE = "0dd8f80";
const MONTHS = ["--from", "2025-01-01", "--to", "2025-03-01"];
const shell = (command: string) =>
  execFileSync("bash", ["-o", "pipefail", "-c", command], { cwd: packageRoot });

const known = (() => {
  try {
    shell(`git cat-file -e ${BEFORE}^{commit} 2>/dev/null`);
    return true;
  } catch {
    return false;
  }
})();
test.skipIf(known)(`NOT TESTED, for this clone has no commit ${BEFORE}: git fetch --unshallow`, ({ skip }) =>
  skip(),
);

describe.skipIf(!known)(`a database made by ${BEFORE}`, () => {
  let folder: string;
  let main: string;
  let platform: Platform;
  /** It refuses a setting of the pipeline that came after it. */
  const settings = () => {
    const known = Object.entries(platform.settings).filter(([name]) => name !== "STAGE_FRAUD_DIFFICULTY");
    return Object.fromEntries(known) as Partial<AllSettings>;
  };
  const before = (...args: string[]) => startProgram(main, settings(), ...args).ended;
  const ours = (...args: string[]) => payments(platform.settings, ...args);
  const state = (id: string) => platform.value<string>("SELECT state FROM etl.run WHERE run_id = $1", [id]);

  /** 100,000 rows published; r2 killed in mid-run, r3 not yet begun or hardly. */
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "before-"));
    shell(
      `git archive ${BEFORE} lib etl jobs db package.json tsconfig.json tsconfig.build.json | tar -x -C ${folder}`,
    );
    symlinkSync(join(packageRoot, "node_modules"), join(folder, "node_modules"));
    shell(`node node_modules/typescript/bin/tsc -p ${folder}/tsconfig.build.json`);
    main = join(folder, "dist", "etl", "cli", "main.js");

    platform = await Platform.on(await createDatabase("empty"));
    for (const args of [["migrate", "up"], ["seed"], ["kickoff", "--rows", "100000", ...MONTHS]]) {
      expect(await before(...args)).toMatchObject({ code: 0, stderr: "" });
    }
    const worker = await WorkerProcess.start(settings(), main);
    await eventually("r1 done", async () => (await state("r1")) === "done", { withinMs: 60_000 });
    for (const seed of ["2", "3"]) {
      await before("kickoff", "--rows", "80000", "--seed", seed, ...MONTHS, "--chunk-rows", "1000");
    }
    const chunks = "SELECT count(*)::integer FROM etl.chunk WHERE run_id = 'r2'";
    await eventually("r2 begun", async () => (await platform.value<number>(chunks)) > 2, { everyMs: 2 });
    await worker.stop("SIGKILL");
    expect(await state("r2")).toBe("running");
  });
  afterAll(async () => {
    await platform?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is migrated; its runs are verified, resumed, cancelled and healed like any other", async () => {
    expect(await ours("status")).toMatchObject({ code: 1, stderr: expect.stringContaining("SCHEMA_BEHIND") });
    const { migrations } = JSON.parse((await ours("migrate", "status", "--json")).stdout);
    const states = migrations.map((row: { state: string }) => row.state);
    expect(states.slice(0, 6)).toEqual([...Array(5).fill("applied"), "pending"]);
    expect(await ours("migrate", "up")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^applied etl V0006/),
    });

    expect(await ours("verify")).toMatchObject({ code: 0, stderr: "" });
    expect(await ours("migrate", "verify")).toMatchObject({ code: 0, stdout: "schema is as expected\n" });
    expect(await ours("cancel", "r3")).toMatchObject({ code: 0, stderr: "" });
    expect(await ours("resume", "r2")).toMatchObject({ code: 0, stderr: "" });
    const worker = await WorkerProcess.start(platform.settings);
    await platform.done("r2");
    expect(await worker.stop()).toBe(0);
    expect(await ours("heal", "2025-02")).toMatchObject({ code: 0, stderr: "" });
    expect(await ours("verify")).toMatchObject({ code: 0, stderr: "" });
    expect([await state("r1"), await state("r2"), await state("r3")]).toEqual(["done", "done", "cancelled"]);
  });

  test("still serves that code, which changes nothing of the schema there", async () => {
    const history = () => platform.pool.query("SELECT * FROM ops.module_migration ORDER BY module, version");
    const { rows } = await history();
    const { stdout } = await before("migrate", "up");
    expect(stdout).toBe("schema is up to date\n");
    const commands = [["migrate", "status"], ["migrate", "verify"], ["doctor"], ["status"]];
    const codes = commands.map(async (args) => (await before(...args)).code);
    expect(await Promise.all(codes)).toEqual([0, 0, 0, 0]);
    const worker = await WorkerProcess.start(settings(), main);
    expect(await before("kickoff", "--rows", "10000", "--seed", "4", ...MONTHS, "--wait")).toMatchObject({
      code: 0,
    });
    expect(await worker.stop()).toBe(0);
    expect(await before("verify")).toMatchObject({ code: 0, stderr: "" });
    expect((await history()).rows).toEqual(rows);
    expect(await ours("migrate", "verify")).toMatchObject({ code: 0, stdout: "schema is as expected\n" });
  });
});
