import { join } from "node:path";
import type { ChunkSource } from "../etl/generate/source.js";
import { createRun } from "../etl/ledger/new_run.js";
import { planRun } from "../etl/plan.js";
import type { PlannedSpec } from "../etl/spec.js";
import { planStep } from "../etl/steps/plan_run.js";
import { stageStep } from "../etl/steps/stage.js";
import type { StepContext } from "../etl/steps/step.js";
import { silentLogger } from "../lib/observability/log.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { packageRoot } from "../lib/root.js";
import { BenchError } from "./errors.js";
import { copied, type Input, type Inputs, inLanes, LANES, quotePath } from "./inputs.js";
import { run } from "./process.js";
import { prepareSame, sameScripts } from "./same.js";
import type { Stack } from "./stack.js";

/** Rows that went in, and the seconds it took from the first command to the last commit. */
export interface Measured {
  readonly rows: number;
  readonly seconds: number;
  /** Of a worker, where one was at work. */
  readonly peakMb?: number;
}

/** Enough for a steady rate; all rows would take it minutes. */
const PYTHON_ROWS = 300_000;

/** R1: one `\copy` of one text file into a txn that has its leaves, its primary key and its indexes. */
export async function psqlCopy(stack: Stack, { months, whole }: Inputs): Promise<Measured> {
  await stack.psql(months.map(({ month }) => createLeaf(month) + publishLeaf(month)).join(""));
  return timed(stack, whole.rows, () =>
    stack.psql(`\\copy payments.txn from ${quotePath(whole.path)}\n`).then(copied),
  );
}

/** Rows where they must be at the end, in a line. */
const ENDED = `SELECT format('%s txn, %s merchant_day, %s network_hour, %s rejected', (SELECT count(*) FROM payments.txn),
              (SELECT sum(txn_count) FROM payments.agg_merchant_day), (SELECT sum(txn_count) FROM payments.agg_network_hour),
              (SELECT count(*) FROM payments.txn_reject));
`;

/** R2: what ends where the pipeline does, see same.ts. */
export async function carefulDba(stack: Stack, spec: PlannedSpec, { chunks }: Inputs): Promise<Measured> {
  const runId = await prepareSame(stack, spec);
  const scripts = sameScripts(runId, spec, { chunks });
  const accepted = chunks.reduce((sum, chunk) => sum + chunk.accepted, 0);
  const ended = `${accepted} txn, ${accepted} merchant_day, ${accepted} network_hour, ${spec.rows - accepted} rejected`;
  const measured = await timed(stack, spec.rows, () => sideBySide(stack, scripts));
  const found = await stack.psql(ENDED);
  if (!found.split("\n").some((line) => line.trim() === ended)) {
    throw new BenchError("BENCH_FAILED", `same ended with ${found.trim()}, not with ${ended}.`);
  }
  return { ...measured, rows: accepted };
}

/** R4: the stage step of every chunk, ledger and answer key included, two at a time, and nothing after it. */
export async function stageAlone(stack: Stack, spec: PlannedSpec, source: ChunkSource): Promise<Measured> {
  const options = { max: LANES * 2, applicationName: "payments-bench" };
  return withPool(stack.settings, options, async (pool) => {
    const context: StepContext = { pool, source, logger: silentLogger, worker: "bench" };
    const { chunks } = planRun(spec);
    const { runId } = await createRun(pool, spec, chunks);
    await planStep(context, runId);
    return timed(stack, spec.rows, async () => {
      await inLanes(chunks, async (chunkNo) => {
        stack.signal.throwIfAborted();
        await stageStep(context, runId, chunkNo);
      });
      const { rows } = await pool.query<{ staged: number }>("SELECT sum(txn_rows) AS staged FROM etl.chunk");
      return Number(rows[0]?.staged);
    });
  });
}

/** R4: psycopg2's execute_values, of rows that stand ready in the client's memory. */
export async function executeValues(stack: Stack, { chunks }: Inputs, python: string): Promise<Measured> {
  const source = "staging.bench_source";
  await stack.psql(stagingLike(source));
  for (let n = 0, rows = 0; n < chunks.length && rows < PYTHON_ROWS; n++) {
    rows += copied(await stack.psql(binaryFrom(source, chunks[n] as Input)));
  }
  await stack.psql(stagingLike("staging.bench_python"));
  await stack.checkpoint();
  const script = join(packageRoot, "bench", "execute_values.py");
  const command = [python, script, source, "staging.bench_python", String(PYTHON_ROWS)];
  const stdout = await run(command, { env: stack.ownerEnv(), signal: stack.signal });
  return JSON.parse(stdout) as Measured;
}

/** A Python that can import psycopg2, if there is one. */
export async function findPython(): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const found = await run([python, "-c", "import psycopg2.extras"]).then(
      () => true,
      () => false,
    );
    if (found) {
      return python;
    }
  }
  return undefined;
}

/** @throws PlatformError BENCH_FAILED when `load` did not load just `rows`: such a measurement is of something else. */
async function timed(stack: Stack, rows: number, load: () => Promise<number>): Promise<Measured> {
  await stack.checkpoint();
  const started = performance.now();
  const loaded = await load();
  const seconds = (performance.now() - started) / 1_000;
  if (loaded !== rows) {
    throw new BenchError("BENCH_FAILED", `${loaded} rows loaded, not ${rows}.`);
  }
  return { rows, seconds };
}

async function sideBySide(stack: Stack, scripts: readonly string[]): Promise<number> {
  const outputs = await Promise.all(scripts.map((script) => stack.psql(script)));
  return outputs.reduce((sum, output) => sum + copied(output), 0);
}

// What the pipeline's own functions are made of, so that leaf, key and indexes are the same on both sides.
const createLeaf = (month: string) =>
  `SELECT etl.make_leaf('payments', etl.leaf_name('${month}'), '${month}');\n`;
const publishLeaf = (month: string) =>
  `SELECT etl.index_leaf(etl.leaf_name('${month}')), etl.attach_leaf(etl.leaf_name('${month}'), '${month}');\n`;

/** Logged, as what stage copies into is. */
function stagingLike(table: string): string {
  return `CREATE TABLE ${table} (LIKE staging.txn_shape) WITH (autovacuum_enabled = false);\n`;
}

function binaryFrom(table: string, { path }: Input): string {
  return `\\copy ${table} from ${quotePath(path)} with (format binary)\n`;
}
