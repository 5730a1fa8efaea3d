import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ChunkSource } from "../etl/generate/source.js";
import { defaultSpec } from "../etl/runs/default_spec.js";
import type { PlannedSpec } from "../etl/spec.js";
import { formatCount } from "../lib/cli/table.js";
import { exportText, flush, type Inputs, writeBinary } from "./inputs.js";
import { requireDisk } from "./machine.js";
import { runPipeline } from "./pipeline.js";
import {
  type Figure,
  type RatioName,
  rateOf,
  ratesOf,
  renderLoad,
  type Variant,
  variantsOf,
  verdictsOf,
} from "./ratios.js";
import type { Report } from "./report.js";
import type { Stack } from "./stack.js";
import { carefulDba, executeValues, findPython, type Measured, psqlCopy, stageAlone } from "./variants.js";

interface LoadOptions {
  readonly rows: number;
  readonly runs: number;
  readonly only: readonly RatioName[];
  readonly keep: boolean;
}

/** Measures the ratios, every variant once a round, so that whatever else the machine does meets all of them alike. */
export async function benchLoad(stack: Stack, report: Report, options: LoadOptions): Promise<void> {
  const { rows, runs } = options;
  const python = options.only.includes("R4") ? await findPython() : undefined;
  const names = options.only.filter((name) => name !== "R4" || python !== undefined);
  if (names.length < options.only.length) {
    report.say("R4 skipped: no psycopg2 (Debian: apt-get install python3-psycopg2)");
  }
  const variants = variantsOf(names);
  const has = (...some: Variant[]) => some.some((variant) => variants.includes(variant));
  await requireDisk(stack, {
    textRows: has("psql") ? 2 * rows : 0,
    binaryRows: has("same", "python") ? rows : 0,
    loadedRows: has("large") ? 2 * rows : rows,
  });

  const folder = join(stack.dir, "bench");
  const source = new ChunkSource();
  const figures: Figure[] = [];
  try {
    const spec = { ...defaultSpec(stack.settings, { rows }), firstTxnId: 1 };
    const inputs = await makeInputs(stack, report, { folder, spec, source, has });
    for (let round = 1; round <= runs; round++) {
      for (const variant of variants) {
        const given = { rows, spec, source, inputs, python };
        const measured = await stack.withDatabase(() => MEASURES[variant](stack, given));
        const figure = { round, variant, ...measured };
        figures.push(figure);
        report.say(`round ${round}  ${variant.padEnd(9)} ${describe(figure)}`);
      }
      await report.save({ options, figures, rates: ratesOf(figures), ratios: verdictsOf(names, figures) });
    }
  } finally {
    await source.close();
    if (!options.keep) {
      await rm(folder, { recursive: true, force: true });
    }
  }
  report.print(renderLoad(names, figures));
}

interface Given {
  readonly rows: number;
  readonly spec: PlannedSpec;
  readonly source: ChunkSource;
  readonly inputs: Inputs;
  readonly python: string | undefined;
}

const MEASURES: Readonly<Record<Variant, (stack: Stack, given: Given) => Promise<Measured>>> = {
  psql: (stack, { inputs }) => psqlCopy(stack, inputs),
  same: (stack, { spec, inputs }) => carefulDba(stack, spec, inputs),
  stage: (stack, { spec, source }) => stageAlone(stack, spec, source),
  python: (stack, { inputs, python = "python3" }) => executeValues(stack, inputs, python),
  pipeline: (stack, { rows }) => runPipeline(stack, rows),
  large: (stack, { rows }) => runPipeline(stack, 2 * rows),
  small: (stack, { rows }) => runPipeline(stack, Math.round(rows / 5)),
};

/** Only what the wanted variants read. */
async function makeInputs(
  stack: Stack,
  report: Report,
  given: Pick<Given, "spec" | "source"> & { folder: string; has: (...some: Variant[]) => boolean },
): Promise<Inputs> {
  const { folder, spec, source, has } = given;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  let text: Pick<Inputs, "months" | "whole"> = { months: [], whole: { path: "", rows: 0 } };
  if (has("psql")) {
    report.say("preparing: loading what the others are to copy");
    text = await stack.withDatabase(async () => {
      await runPipeline(stack, spec.rows);
      report.say("preparing: exporting it as text");
      return exportText(stack, folder, spec);
    });
  }
  let chunks: Inputs["chunks"] = [];
  if (has("same", "python")) {
    report.say("preparing: writing chunks as binary files");
    chunks = await writeBinary(stack, folder, spec, source);
  }
  await flush(folder);
  return { ...text, chunks };
}

function describe(figure: Figure): string {
  const { rows, seconds, peakMb } = figure;
  const peak = peakMb === undefined ? "" : `, worker's peak ${Math.round(peakMb)} MB`;
  return `${formatCount(rows)} rows in ${seconds.toFixed(1)} s: ${formatCount(Math.round(rateOf(figure)))} rows/s${peak}`;
}
