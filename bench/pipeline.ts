import { getRun, isOver } from "../etl/ledger/run.js";
import { runStatus } from "../etl/runs/status.js";
import type { Pool } from "../lib/postgres/pool.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { BenchError } from "./errors.js";
import { MAIN, PlatformProcess } from "./platform_process.js";
import { run, until } from "./process.js";
import type { Stack } from "./stack.js";

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
  return withWarmWorker(stack, async (warm) => ({ ...(await warm.run(rows)), peakMb: warm.peakMb() }));
}

/** A worker whose code is compiled and whose connections stand. */
export interface WarmWorker {
  /** One run of this many rows, after a checkpoint: the default one, but for further options of `payments kickoff`. */
  readonly run: (rows: number, ...options: string[]) => Promise<Omit<PipelineFigures, "peakMb">>;
  /** The same by `payments kickoff --wait`. @returns seconds by the caller's clock, from the command's start to its end. */
  readonly wait: (rows: number) => Promise<number>;
  /** Its largest resident set so far. */
  readonly peakMb: () => number;
}

export async function withWarmWorker<T>(stack: Stack, work: (warm: WarmWorker) => Promise<T>): Promise<T> {
  return withPool(stack.settings, { applicationName: "payments-bench" }, async (pool) => {
    const worker = await PlatformProcess.start({
      args: ["worker"],
      env: stack.settings,
      isReady: (log) => log.includes("worker ready"),
      signal: stack.signal,
    });
    try {
      await finished(stack, pool, worker, await kickoff(stack, WARM_UP));
      return await work({
        run: async (rows, ...options) => {
          await stack.checkpoint();
          const runId = await kickoff(stack, ["--rows", String(rows), ...options]);
          await finished(stack, pool, worker, runId);
          return figuresOf(pool, runId);
        },
        wait: async (rows) => {
          const began = performance.now();
          await kickoff(stack, ["--rows", String(rows), "--wait"]);
          return (performance.now() - began) / 1_000;
        },
        peakMb: () => worker.peakMb(),
      });
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

async function finished(stack: Stack, pool: Pool, worker: PlatformProcess, runId: string): Promise<void> {
  const over = async () => {
    worker.mustLive();
    return isOver((await getRun(pool, runId)).state);
  };
  await until(`run ${runId} to end`, over, { signal: stack.signal });
}

/** @throws PlatformError BENCH_FAILED when the table does not hold what the ledger says: such a run measures nothing. */
async function figuresOf(pool: Pool, runId: string): Promise<{ rows: number; seconds: number }> {
  const [status] = await runStatus(pool, [runId]);
  const { rows } = await pool.query<{ seconds: number; found: number }>(
    `SELECT extract(epoch FROM finished_at - created_at)::float8 AS seconds,
            (SELECT count(*) FROM payments.txn
             WHERE txn_id >= r.first_txn_id AND txn_id < r.first_txn_id + r.txn_rows) AS found
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
