import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { missingMessages } from "../etl/runs/resume.js";
import { packageVersion } from "../lib/root.js";
import { depth, drain } from "./harness/broker.js";
import { createDatabase, dropDatabase } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { type CommandResult, payments, startPayments, WorkerProcess } from "./harness/process.js";
import { firstOfEach, sampled } from "./harness/sampled.js";

/** One small run, whatever else is asked for. */
const SMALL = { STAGE_TO: "2025-02-01", STAGE_CHUNK_SIZE: "500", STAGE_TARGET_TXN: "1000" };

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.create(SMALL);
});
afterAll(() => platform.close());
beforeEach(async () => {
  await drain(platform.settings, ETL_QUEUES.work);
});

/** `payments …` with the platform's settings, some of them replaced. */
function run(args: string, settings: Record<string, string | number> = {}): Promise<CommandResult> {
  return payments({ ...platform.settings, ...settings }, ...args.split(" ").filter(Boolean));
}

/** Checks that a command failed with one line for a person and nothing else. */
function expectError(result: CommandResult, exit: number, code: string): void {
  expect(result.stderr).toMatch(new RegExp(`^payments: ${code}: [^\n]+\n$`));
  expect(result).toMatchObject({ code: exit, stdout: "" });
  expect(result.stderr).not.toMatch(/\bat .*:\d+:\d+/);
}

async function json(args: string, settings?: Record<string, string | number>) {
  const { code, stdout, stderr } = await run(`${args} --json`, settings);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

const runs = () => platform.value<number>("SELECT count(*) FROM etl.run");

test("--version is package.json's", async () => {
  expect(await run("--version")).toEqual({ code: 0, stdout: `${packageVersion()}\n`, stderr: "" });
});

describe("what is asked for wrongly ends with 2", () => {
  test("usage: an unknown command, option or argument, or one too few, says which", async () => {
    for (const [args, says] of [
      ["", "Usage: payments"],
      ["nonsense", "unknown command 'nonsense'"],
      ["migrate", "Usage: payments migrate"],
      ["migrate sideways", "unknown command 'sideways'"],
      ["kickoff --nonsense", "unknown option '--nonsense'"],
      ["kickoff --rows", "argument missing"],
      ["status r1 r2", "too many arguments"],
      ["resume", "missing required argument 'run'"],
    ] as const) {
      const result = await run(args);
      expect([args, result.code, result.stdout]).toEqual([args, 2, ""]);
      expect(result.stderr).toContain(says);
      expect(result.stderr).not.toMatch(/\bat .*:\d+:\d+/);
    }
    const help = await run("--help");
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const name of ["migrate", "seed", "kickoff", "worker", "status", "verify", "resume", "doctor"]) {
      expect(help.stdout).toContain(`\n  ${name}`);
    }
  });

  test("settings: all that are wrong are named at once, before any server is asked", async () => {
    const wrong = {
      POSTGRES_PORT: "abc",
      RABBITMQ_PORT: 70_000,
      STAGE_DIRT_RATE: "2",
      STAGE_FROM: "yesterday",
      STAGE_ROWZ: "1",
      WORKER_CONCURENCY: "2",
      LOG_LEVEL: "loud",
    };
    const result = await run("status", wrong);
    expectError(result, 2, "SETTINGS_INVALID");
    for (const name of Object.keys(wrong)) {
      expect(result.stderr).toContain(`${name}: `);
    }
    const asJson = await run("status --json", wrong);
    expect(asJson).toMatchObject({ code: 2, stdout: "" });
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: "SETTINGS_INVALID" } });
    expectError(await run("status", { STAGE_FROM: "2025-06-01" }), 2, "SETTINGS_INVALID");
  });

  test("specs: what cannot be is refused with its reason, and no run is entered", async () => {
    for (const [options, says] of [
      ["--rows -1", "rows must not be negative"],
      ["--rows 1e12", "rows must not exceed 10^11"],
      ["--rows abc", "rows: "],
      ["--target -1", "rows must not be negative"],
      ["--from 2025-02-01 --to 2025-02-01", "from must be before to"],
      ["--from 2025-02-30", "fromOn: "],
      ["--dirt-rate 1.5", "dirt rate must lie in 0..1"],
      ["--fraud-rate -0.1", "fraud rate must lie in 0..1"],
      ["--fraud-difficulty impossible", "fraud difficulty must be one of easy, medium, hard"],
    ] as const) {
      const result = await run(`kickoff ${options}`);
      expectError(result, 2, "SPEC_INVALID");
      expect(result.stderr).toContain(says);
    }
    const clash = await run("kickoff --rows 10 --target 10");
    expectError(clash, 2, "USAGE_INVALID");
    expect(clash.stderr).toContain("--rows and --target exclude each other");
    for (const month of ["2025-13", "2025-1", "january"]) {
      expectError(await run(`heal ${month}`), 2, "USAGE_INVALID");
    }
    expect(await runs()).toBe(0);
    expect(await depth(platform.settings, ETL_QUEUES.work)).toBe(0);
  });

  test("dead letters: which, how many, and what to do with them", async () => {
    for (const args of [
      "replay",
      "replay m000000 --all",
      "replay --reason A --all",
      "purge --yes",
      "list --limit 0",
      "list --limit 1e3",
      "show",
      "shred",
      "replay --all --to-topic",
      "audit --days 0",
      "audit --trace x",
    ]) {
      const { code, stdout, stderr } = await run(`dlq ${args}`);
      expect([args, code, stdout]).toEqual([args, 2, ""]);
      expect(stderr).not.toBe("");
    }
  });

  test("a run that is not there", async () => {
    for (const args of ["status r999", "verify r999", "resume r999", "cancel r999", "status --watch r999"]) {
      expectError(await run(args), 2, "RUN_UNKNOWN");
    }
  });
});

describe("a server that refuses or is not there", () => {
  const REFUSALS = [
    ["kickoff", { POSTGRES_PASSWORD: "sesame" }, "POSTGRES_AUTH"],
    ["kickoff", { POSTGRES_DB: "nowhere" }, "POSTGRES_AUTH"],
    ["migrate up", { POSTGRES_ADMIN_PASSWORD: "sesame" }, "POSTGRES_AUTH"],
    ["kickoff", { RABBITMQ_PASSWORD: "sesame" }, "RABBITMQ_AUTH"],
    ["kickoff", { RABBITMQ_VHOST: "nowhere" }, "RABBITMQ_AUTH"],
    ["kickoff", { POSTGRES_PORT: 1 }, "POSTGRES_UNREACHABLE"],
    ["kickoff", { POSTGRES_HOST: "nowhere.invalid" }, "POSTGRES_UNREACHABLE"],
    ["kickoff", { RABBITMQ_PORT: 1 }, "RABBITMQ_UNREACHABLE"],
    ["worker", { POSTGRES_PASSWORD: "sesame" }, "POSTGRES_AUTH"],
    ["worker", { RABBITMQ_PASSWORD: "sesame" }, "RABBITMQ_AUTH"],
    // What a newcomer meets who has not called `stack.sh env`; another client's password is not ours.
    ["status", { POSTGRES_PASSWORD: "", PGPASSWORD: "sesame" }, "POSTGRES_AUTH"],
    ["migrate up", { POSTGRES_ADMIN_PASSWORD: "" }, "POSTGRES_AUTH"],
    ["worker", { POSTGRES_PASSWORD: "" }, "POSTGRES_AUTH"],
    ["worker", { RABBITMQ_PASSWORD: "" }, "RABBITMQ_AUTH"],
    ["worker", { POSTGRES_DB: "nowhere" }, "POSTGRES_AUTH"],
    ["worker", { POSTGRES_SSLMODE: "require" }, "POSTGRES_TLS"],
    ["worker", { RABBITMQ_SSLMODE: "require" }, "RABBITMQ_TLS"],
  ] as const;

  test.each(
    sampled<(typeof REFUSALS)[number]>(
      REFUSALS,
      firstOfEach(REFUSALS, ([, , code]) => code),
    ),
  )(
    "payments %s with %j: %s, at once, in one line, and no run is left behind",
    async (args, settings, code) => {
      const started = Date.now();
      const result = await run(args, { LOG_LEVEL: "fatal", ...settings });
      expect(Date.now() - started).toBeLessThan(8_000);
      expectError(result, 1, code);
      if (code.endsWith("_AUTH")) {
        expect(result.stderr).toContain('eval "$(scripts/stack.sh env)"');
      }
      const { POSTGRES_PASSWORD, POSTGRES_ADMIN_PASSWORD, RABBITMQ_PASSWORD } = platform.settings;
      for (const secret of ["sesame", POSTGRES_PASSWORD, POSTGRES_ADMIN_PASSWORD, RABBITMQ_PASSWORD]) {
        expect(result.stderr).not.toContain(secret);
      }
      expect(await runs()).toBe(0);
    },
  );
});

test("secrets come from files that NAME_FILE names", async () => {
  const folder = mkdtempSync(join(tmpdir(), "secrets-"));
  try {
    const { POSTGRES_PASSWORD, RABBITMQ_PASSWORD, ...others } = platform.settings;
    writeFileSync(join(folder, "postgres"), `${POSTGRES_PASSWORD}\n`);
    writeFileSync(join(folder, "rabbitmq"), RABBITMQ_PASSWORD);
    const files = {
      POSTGRES_PASSWORD_FILE: join(folder, "postgres"),
      RABBITMQ_PASSWORD_FILE: join(folder, "rabbitmq"),
    };
    const result = await payments({ ...others, ...files }, "status", "--json");
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const missing = { ...others, ...files, POSTGRES_PASSWORD_FILE: join(folder, "missing") };
    const refused = await payments(missing, "status");
    expectError(refused, 2, "SETTINGS_INVALID");
    expect(refused.stderr).toContain("POSTGRES_PASSWORD_FILE: ");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what the shell says to other clients of PostgreSQL is not heard", async () => {
  const leaks = {
    PGSSLMODE: "require",
    PGSSLNEGOTIATION: "direct",
    PGOPTIONS: "-c nonsense=1",
    PGREPLICATION: "database",
    PGCLIENTENCODING: "LATIN1",
    PGUSER: "nobody",
    NODE_PG_FORCE_NATIVE: "1",
    http_proxy: "http://127.0.0.1:1",
    TZ: "Asia/Kolkata",
    LC_ALL: "de_DE.UTF-8",
  };
  expect(await run("status", leaks)).toMatchObject({ code: 0, stderr: "" });
});

test("from nothing to ready: each command says what is missing before it", async () => {
  const POSTGRES_DB = await createDatabase("empty");
  try {
    for (const args of ["kickoff", "seed", "status", "verify", "worker"]) {
      const result = await run(args, { POSTGRES_DB, LOG_LEVEL: "fatal" });
      expectError(result, 1, "SCHEMA_BEHIND");
      expect(result.stderr).toContain("payments migrate up");
    }
    const ill = await run("doctor --json", { POSTGRES_DB, RABBITMQ_PASSWORD: "sesame" });
    expect(ill.code).toBe(1);
    const { ok, findings } = JSON.parse(ill.stdout);
    const failed = findings.filter((finding: { ok: boolean }) => !finding.ok);
    expect({ ok, failed: failed.map((finding: { what: string }) => finding.what) }).toEqual({
      ok: false,
      failed: ["schema", "seed", "rabbitmq", "worker", "dead letters", "alarm"],
    });
    expect(ill.stdout).not.toContain("sesame");

    await json("migrate up", { POSTGRES_DB });
    const unseeded = await run("kickoff", { POSTGRES_DB });
    expectError(unseeded, 1, "NOT_SEEDED");
    expect(unseeded.stderr).toContain("payments seed");
    const sizes = { accounts: 100_000, merchants: 5_000, terminals: 20_000 };
    expect(await json("seed", { POSTGRES_DB })).toEqual({ seeded: true, ...sizes });
    expect(await json("seed", { POSTGRES_DB })).toEqual({ seeded: false, ...sizes });
    expect(await json("status", { POSTGRES_DB })).toEqual({ runs: [] });
    expect((await run("status", { POSTGRES_DB })).stdout).toContain("no runs yet");
  } finally {
    await dropDatabase(POSTGRES_DB);
  }
});

test("kickoff enters a run and sends its first message; --target tops up by just what lacks", async () => {
  const before = await runs();
  const next = (n: number) => `r${before + n}`;
  expect(await json("kickoff --rows 100")).toEqual({ run: next(1), rows: 100 });
  expect(await depth(platform.settings, ETL_QUEUES.work)).toBe(1);
  const asked = await platform.value<number>("SELECT sum(txn_rows)::int FROM etl.run");
  expect((await run(`kickoff --target ${asked + 150}`)).stdout).toBe(`run ${next(2)}: 150 transactions\n`);
  expect(await json(`kickoff --target ${asked + 150}`)).toEqual({ run: null, rows: 0 });
  expect((await run(`kickoff --target ${asked}`)).stdout).toContain("nothing to start");
  expect(await runs()).toBe(before + 2);
  expect(await depth(platform.settings, ETL_QUEUES.work)).toBe(2);
  const { runs: known } = await json("status");
  expect(known.at(-1)).toMatchObject({ run: next(2), state: "planned", rows: 150, accepted: 0, etaS: null });
  for (const n of [1, 2]) {
    await json(`cancel ${next(n)}`);
  }
});

test("kickoff --wait follows the run to its end, with logs kept out of the data", async () => {
  const worker = await WorkerProcess.start(platform.settings);
  const waited = await run("kickoff --rows 2000 --wait", { LOG_LEVEL: "debug" });
  expect(waited.code).toBe(0);
  expect(waited.stdout).toMatch(/^run r\d+: 2,000 transactions\n\nrows +count\n/);
  expect(waited.stdout).toMatch(/^generated +2,000$/m);
  for (const step of ["stage", "clean", "agg"]) {
    expect(waited.stdout).toMatch(new RegExp(`^${step} +[0-9.]+ `, "m"));
  }
  expect(waited.stderr).toMatch(/^r\d+ /m);

  const both = await run("kickoff --rows 2000 --seed 2 --wait --json", { LOG_LEVEL: "debug" });
  expect(both.code).toBe(0);
  const { run: runId, rows, runs: followed } = JSON.parse(both.stdout);
  expect(followed).toEqual([expect.objectContaining({ run: runId, state: "done", rows })]);
  expect(await json(`resume ${runId}`)).toEqual({ run: runId, sent: 0 });

  const watched = await run(`status ${runId} --watch --json`);
  expect(watched.code).toBe(0);
  expect(JSON.parse(watched.stdout).runs).toEqual([expect.objectContaining({ run: runId, state: "done" })]);
  expect((await run("status")).stdout).toMatch(new RegExp(`^${runId} +done +2,000 `, "m"));

  expect(await worker.stop("SIGTERM")).toBe(0);
  expect(worker.log).toContain(`"message":"stopped"`);
});

test("Ctrl-C ends the waiting with 130; the run goes on", async () => {
  const waiting = startPayments(platform.settings, "kickoff", "--rows", "500", "--wait");
  await eventually("a line of progress", () => waiting.output.stderr.includes("planned"));
  waiting.child.kill("SIGINT");
  const { code, stdout, stderr } = await waiting.ended;
  expect(code).toBe(130);
  expect(stderr.trim().split("\n").at(-1)).toBe("payments: INTERRUPTED: stopped watching; the runs go on.");

  const runId = /^run (r\d+): /.exec(stdout)?.[1] ?? "";
  const worker = await WorkerProcess.start(platform.settings);
  expect((await run(`status ${runId} --watch`)).stdout).toMatch(new RegExp(`^${runId} +done `, "m"));
  expect(await worker.stop()).toBe(0);
});

test("resume completes a run whose messages were lost", async () => {
  const cleaned = () => platform.value<number>("SELECT count(*) FROM etl.chunk WHERE run_id = $1", [runId]);
  const first = await WorkerProcess.start(platform.settings);
  const { run: runId } = await json("kickoff --rows 40000 --chunk-rows 200");
  await eventually("some chunks", async () => (await cleaned()) > 5, { everyMs: 5 });
  // What is under way is finished and what follows from it sent: all the rest of the run stands in the queue.
  expect(await first.stop("SIGTERM")).toBe(0);
  const missing = (await missingMessages(platform.pool, runId)).length;
  expect(missing).toBeGreaterThan(0);
  const inQueue = () => depth(platform.settings, ETL_QUEUES.work);
  await eventually("all messages in the queue", async () => (await inQueue()) === missing);
  await drain(platform.settings, ETL_QUEUES.work);

  expect(await json(`resume ${runId}`)).toEqual({ run: runId, sent: missing });
  const second = await WorkerProcess.start(platform.settings);
  await platform.done(runId);
  expect(await second.stop("SIGTERM")).toBe(0);
  expect(await json(`verify ${runId}`)).toMatchObject({ ok: true, runs: [runId], unfinishedRuns: [] });
});
