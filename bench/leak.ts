import type { LeakReport } from "../etl/leak/audit.js";
import { BOUNDS, beyond, unlabelled } from "../etl/leak/bounds.js";
import { auditRun } from "../etl/leak/read.js";
import { lastDone } from "../etl/ledger/run.js";
import type { FraudDifficulty } from "../etl/spec.js";
import { formatCount, formatTable } from "../lib/cli/table.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { BenchError } from "./errors.js";
import { requireDisk } from "./machine.js";
import { withWarmWorker } from "./pipeline.js";
import type { Report } from "./report.js";
import type { Stack } from "./stack.js";

export interface LeakOptions {
  readonly rows: number;
  readonly seeds: number;
}

/** Those that have bounds. */
const DIFFICULTIES = ["medium", "hard"] as const satisfies readonly FraudDifficulty[];

interface Audited {
  readonly difficulty: (typeof DIFFICULTIES)[number];
  readonly seed: number;
  readonly seconds: number;
  readonly report: LeakReport;
  readonly findings: readonly string[];
}

/** What a column, a pair of columns and the history tell of fraud in runs of a size at which nobody tests: `payments audit-leak`. */
export async function benchLeak(stack: Stack, report: Report, options: LeakOptions): Promise<void> {
  await requireDisk(stack, { loadedRows: options.rows });
  const audited: Audited[] = [];
  for (let seed = 1; seed <= options.seeds; seed++) {
    for (const difficulty of DIFFICULTIES) {
      audited.push(await audit(stack, { difficulty, seed, rows: options.rows }));
      const { seconds, findings } = audited.at(-1) as Audited;
      report.say(
        `${difficulty}, seed ${seed}: audited in ${seconds.toFixed(0)} s, ${findings.length} findings`,
      );
      await report.save({ options, audited });
    }
  }
  report.print(
    formatTable(
      ["difficulty", "seed", "rows", "fraud", "best column", "", "best pair", "", "model", "", ""],
      audited.map(cellsOf),
    ),
  );
}

function audit(
  stack: Stack,
  { difficulty, seed, rows }: Pick<Audited, "difficulty" | "seed"> & { readonly rows: number },
): Promise<Audited> {
  return stack.withDatabase(async () => {
    await withWarmWorker(stack, (warm) =>
      warm.run(rows, "--fraud-difficulty", difficulty, "--seed", String(seed)),
    );
    return withPool(stack.settings, {}, async (pool) => {
      const run = await lastDone(pool);
      if (run === undefined) {
        throw new BenchError("BENCH_FAILED", "no run is done.");
      }
      const began = performance.now();
      const report = await auditRun(pool, run);
      const seconds = (performance.now() - began) / 1_000;
      const findings = [...unlabelled(report), ...beyond(report, BOUNDS[difficulty])];
      return { difficulty, seed, seconds, report, findings };
    });
  });
}

function cellsOf({ difficulty, seed, report, findings }: Audited): string[] {
  const { column, pair, model } = BOUNDS[difficulty];
  const [bestColumn, bestPair] = [report.columns[0], report.pairs[0]];
  return [
    difficulty,
    String(seed),
    formatCount(report.rows),
    formatCount(report.fraud),
    `${bestColumn?.by} ${bestColumn?.auc.toFixed(3)}`,
    `<= ${column}`,
    `${bestPair?.by} ${bestPair?.auc.toFixed(3)}`,
    `<= ${pair}`,
    report.model.toFixed(3),
    `>= ${model}`,
    findings.length === 0 ? "ok" : "MISSED",
  ];
}
