import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getRun, isOver } from "../etl/ledger/run.js";
import { runStatus } from "../etl/runs/status.js";
import type { Pool } from "../lib/postgres/pool.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { type Output, outputOf, start } from "../lib/process/run.js";
import { packageRoot } from "../lib/root.js";
import { BenchError } from "./errors.js";
import { BASE_ENV, run, until } from "./process.js";
import type { Stack } from "./stack.js";

const MAIN = join(packageRoot, "dist", "app", "main.js");
const WORKER_START_MS = 60_000;
/** Two chunks, one for each of a worker's threads, in a month long before any measured run: code is compiled, connections stand. */
const WARM_UP = ["--rows", "100000", "--chunk-rows", "50000", "--from", "1980-01-01", "--to", "1980-02-01"];

/** One run of the whole pipeline. */
export interface PipelineFigures {
  /** Rows in txn, as the ledger and the table say. */
  readonly rows: number;
  /** From the moment the run is entered to the moment its last month is published and aggregated, by the ledger's clock. */
  readonly seconds: number;
  /** The worker's largest resident set, warm-up included. */
  readonly peakMb: number;
}

/** A fresh worker is warmed up by a small run, then given the measured one, the default run of this many rows. */
export async function runPipeline(stack: Stack, rows: number): Promise<PipelineFigures> {
  return withPool(stack.settings, { applicationName: "payments-bench" }, async (pool) => {
    const worker = await BenchWorker.start(stack);
    try {
      await finished(stack, pool, worker, await kickoff(stack, WARM_UP));
      await stack.checkpoint();
      const runId = await kickoff(stack, ["--rows", String(rows)]);
      await finished(stack, pool, worker, runId);
      const peakMb = worker.peakMb();
      return { ...(await figuresOf(pool, runId)), peakMb };
    } finally {
      await worker.stop();
    }
  });
}

/** `payments kickoff`, as a user would. @returns the run's id. */
async function kickoff(stack: Stack, args: readonly string[]): Promise<string> {
  const command = [process.execPath, MAIN, "kickoff", "--json", ...args];
  const stdout = await run(command, { env: stack.settings, signal: stack.signal });
  return (JSON.parse(stdout) as { run: string }).run;
}

async function finished(stack: Stack, pool: Pool, worker: BenchWorker, runId: string): Promise<void> {
  const over = async () => {
    worker.mustLive();
    return isOver((await getRun(pool, runId)).state);
  };
  await until(`run ${runId} to end`, over, { signal: stack.signal });
}

/** @throws PlatformError BENCH_FAILED when the table does not hold what the ledger says: such a run measures nothing. */
async function figuresOf(pool: Pool, runId: string): Promise<{ rows: number; seconds: number }> {
  const [status] = await runStatus(pool, runId);
  const { rows } = await pool.query<{ seconds: number; found: number }>(
    `SELECT extract(epoch FROM finished_at - created_at)::float8 AS seconds,
            (SELECT count(*) FROM payments.txn WHERE occurred_at >= r.from_on AND occurred_at < r.to_on) AS found
     FROM etl.run r WHERE run_id = $1`,
    [runId],
  );
  const [row] = rows;
  if (status?.state !== "done" || row === undefined || row.found !== status.accepted) {
    const message = `run ${runId} is ${status?.state}: ${status?.accepted} rows accepted, ${row?.found} in txn.`;
    throw new BenchError("BENCH_FAILED", message);
  }
  return { rows: status.accepted, seconds: row.seconds };
}

class BenchWorker {
  readonly #child: ChildProcess;
  readonly #output: Output;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#output = outputOf(child);
  }

  /** Resolves when it takes messages. */
  static async start(stack: Stack): Promise<BenchWorker> {
    const env = { ...BASE_ENV, ...stack.settings, LOG_LEVEL: "info", LOG_FORMAT: "json" };
    const worker = new BenchWorker(
      start([process.execPath, MAIN, "worker"], { env, stdio: ["ignore", "ignore", "pipe"] }),
    );
    const ready = () => {
      worker.mustLive();
      return worker.#output.stderr.includes("worker ready");
    };
    try {
      await until("a worker to be ready", ready, { withinMs: WORKER_START_MS, signal: stack.signal });
      return worker;
    } catch (error) {
      await worker.stop();
      throw error;
    }
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  mustLive(): void {
    if (this.#ended) {
      const last = this.#output.stderr.trimEnd().split("\n").at(-1);
      throw new BenchError("BENCH_FAILED", `the worker has ended: ${last}`);
    }
  }

  peakMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
  }

  /** Drains, unless the bench was interrupted: then its database is about to go anyway. */
  async stop(): Promise<void> {
    if (this.#ended) {
      return;
    }
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), WORKER_START_MS);
    await ended;
    clearTimeout(late);
  }
}
