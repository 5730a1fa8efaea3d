import { formatCount, formatTable } from "../lib/cli/table.js";
import { requireDisk } from "./machine.js";
import { type WarmWorker, withWarmWorker } from "./pipeline.js";
import { rateOf, spreadCells, spreadOf } from "./ratios.js";
import type { Report } from "./report.js";
import type { Stack } from "./stack.js";

export interface AppendOptions {
  readonly rows: number;
  readonly runs: number;
  readonly double: boolean;
}

const FEW = 1_000;
/** Longest wall clock of `kickoff --rows 1000 --wait`, by the rows that stand. */
const FEW_WITHIN_S = [
  { standing: 3_000_000, seconds: 1 },
  { standing: 40_000_000, seconds: 1.5 },
];
/** Least rate of as many rows again, as a share of the first run's. */
const AGAIN_SHARE = 0.8;

/** What it costs to add to months that stand: a few rows, several times, then as many as stand. */
export async function benchAppend(stack: Stack, report: Report, options: AppendOptions): Promise<void> {
  const { rows, runs, double } = options;
  await requireDisk(stack, { loadedRows: double ? 2 * rows : rows });
  await stack.withDatabase(() =>
    withWarmWorker(stack, async (warm) => {
      const first = await measured(report, "first run", warm, rows);
      const waits: number[] = [];
      for (let round = 1; round <= runs; round++) {
        const seconds = await warm.wait(FEW);
        waits.push(seconds);
        report.say(`round ${round}  ${formatCount(FEW)} rows: ${seconds.toFixed(2)} s`);
      }
      const again = double ? await measured(report, "as many again", warm, rows) : undefined;
      const verdicts = verdictsOf(rows, waits, again && rateOf(again) / rateOf(first));
      await report.save({ options, first, waits, again, verdicts });
      report.print(
        formatTable(
          ["what", "median", "min", "max", "target", ""],
          verdicts.map(({ what, target, ok, ...spread }) => [
            what,
            ...spreadCells(spread, 2),
            target,
            ok ? "ok" : "MISSED",
          ]),
        ),
      );
    }),
  );
}

async function measured(report: Report, what: string, warm: WarmWorker, rows: number) {
  const figure = await warm.run(rows);
  const rate = formatCount(Math.round(rateOf(figure)));
  report.say(`${what}: ${formatCount(figure.rows)} rows in ${figure.seconds.toFixed(1)} s: ${rate} rows/s`);
  return figure;
}

function verdictsOf(standing: number, waits: readonly number[], share: number | undefined) {
  const few = spreadOf(waits);
  const limit = FEW_WITHIN_S.find((each) => standing <= each.standing) ?? FEW_WITHIN_S.at(-1);
  const withinS = limit?.seconds ?? 0;
  const onto = formatCount(standing);
  const verdicts = [
    {
      what: `${formatCount(FEW)} rows onto ${onto}, seconds of --wait`,
      ...few,
      target: `< ${withinS}`,
      ok: few.median < withinS,
    },
  ];
  if (share !== undefined) {
    verdicts.push({
      what: `rate of ${onto} onto ${onto} / the first run's`,
      ...spreadOf([share]),
      target: `>= ${AGAIN_SHARE}`,
      ok: share >= AGAIN_SHARE,
    });
  }
  return verdicts;
}
