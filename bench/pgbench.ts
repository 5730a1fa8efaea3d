import { mkdir, readdir, rm } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import { formatCount, formatTable } from "../lib/cli/table.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { packageRoot } from "../lib/root.js";
import { BenchError } from "./errors.js";
import { requireDisk } from "./machine.js";
import { type Latencies, latenciesOf, readLatencies } from "./percentiles.js";
import { runPipeline } from "./pipeline.js";
import { run } from "./process.js";
import type { Report } from "./report.js";
import type { Stack } from "./stack.js";

interface PgbenchOptions {
  readonly clients: number;
  readonly seconds: number;
  readonly rows: number;
}

/** bench/pgbench/<name>.sql, and its share of the mix in percent. */
const SCRIPTS = [
  { name: "authorise", weight: 60 },
  { name: "statement", weight: 20 },
  { name: "merchant_day", weight: 5 },
  { name: "refund", weight: 15 },
] as const;

interface Served extends Latencies {
  readonly workload: string;
  readonly tps: number;
}

/** Loads a database by the pipeline, then lets pgbench serve from it: each script alone, then all as a mix. */
export async function benchPgbench(stack: Stack, report: Report, options: PgbenchOptions): Promise<void> {
  await requireDisk(stack, { loadedRows: options.rows });
  const served: Served[] = [];
  await stack.withDatabase(async () => {
    report.say(`loading ${formatCount(options.rows)} rows`);
    await runPipeline(stack, options.rows);
    // What autovacuum does within minutes of a load: visibility maps and statistics as a server has them in service.
    await withPool(stack.settings, { role: "admin" }, (pool) => pool.query("VACUUM (ANALYZE) payments.txn"));
    for (const script of SCRIPTS) {
      report.say(`${script.name} for ${options.seconds} s`);
      served.push(...(await serve(stack, options, [script])));
    }
    report.say(`mix for ${options.seconds} s`);
    served.push(...(await serve(stack, options, SCRIPTS)));
  });
  await report.save({ options, served });
  report.print(render(served));
}

type Data = Readonly<Record<string, string | number>>;

/**
 * The variables of the scripts. The run with the highest ids is the measured one: the warm-up, with a month of its own, came
 * before it. The next id lies beyond every one that an earlier script has entered.
 */
async function dataFacts(stack: Stack): Promise<Data> {
  return withPool(stack.settings, {}, async (pool) => {
    const { rows } = await pool.query<Data>(
      `SELECT account_first, account_last, merchant_first, merchant_last, terminal_first, terminal_last,
              txn_first, txn_last, (SELECT max(txn_id) + 1 FROM txn) AS next_txn_id,
              to_on - from_on AS days, from_on AS first_day, to_on - 1 AS last_day, 0 AS n
       FROM (SELECT min(account_id) AS account_first, max(account_id) AS account_last FROM account) a,
            (SELECT min(merchant_id) AS merchant_first, max(merchant_id) AS merchant_last FROM merchant) m,
            (SELECT min(terminal_id) AS terminal_first, max(terminal_id) AS terminal_last FROM terminal) t,
            (SELECT from_on, to_on, first_txn_id AS txn_first, first_txn_id + txn_rows - 1 AS txn_last
             FROM etl.run ORDER BY first_txn_id DESC LIMIT 1) r`,
    );
    return rows[0] ?? {};
  });
}

/** One run of pgbench. @returns a line a script, and for several scripts one of all of them before these. */
async function serve(
  stack: Stack,
  { clients, seconds }: PgbenchOptions,
  scripts: readonly (typeof SCRIPTS)[number][],
): Promise<Served[]> {
  const folder = join(stack.dir, "bench");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  try {
    await stack.checkpoint();
    const stdout = await run(
      [
        join(stack.pgBin, "pgbench"),
        ...["--no-vacuum", "--protocol=prepared", `--time=${seconds}`, "--log"],
        ...[`--client=${clients}`, `--jobs=${Math.min(clients, os.availableParallelism())}`],
        ...Object.entries(await dataFacts(stack)).map(([name, value]) => `--define=${name}=${value}`),
        ...scripts.map(
          ({ name, weight }) => `--file=${join(packageRoot, "bench", "pgbench", name)}.sql@${weight}`,
        ),
      ],
      { env: stack.clientEnv(), cwd: folder, signal: stack.signal },
    );
    const tps = Number(/^tps = ([0-9.]+)/m.exec(stdout)?.[1]);
    const latencies = await readLatencies((await readdir(folder)).map((file) => join(folder, file)));
    return linesOf(scripts, tps, latencies);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function linesOf(
  scripts: readonly { name: string }[],
  tps: number,
  latencies: ReadonlyMap<number, number[]>,
): Served[] {
  const all = [...latencies.values()].flat();
  if (all.length === 0) {
    throw new BenchError("BENCH_FAILED", "pgbench has logged no transaction.");
  }
  const [only, ...others] = scripts;
  if (only !== undefined && others.length === 0) {
    return [{ workload: only.name, tps, ...latenciesOf(all) }];
  }
  const parts = scripts.map(({ name }, number) => {
    const own = latencies.get(number) ?? [];
    return { workload: `  ${name}`, tps: (tps * own.length) / all.length, ...latenciesOf(own) };
  });
  return [{ workload: "mix", tps, ...latenciesOf(all) }, ...parts];
}

function render(served: readonly Served[]): string {
  return formatTable(
    ["workload", "TPS", "p50 ms", "p95 ms", "p99 ms", "transactions"],
    served.map(({ workload, tps, p50Ms, p95Ms, p99Ms, transactions }) => [
      workload,
      Math.round(tps),
      ...[p50Ms, p95Ms, p99Ms].map((ms) => ms.toFixed(2)),
      transactions,
    ]),
  );
}
