import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ChunkSource } from "../etl/generate/source.js";
import { defaultSpec } from "../etl/runs/default_spec.js";
import type { PlannedSpec } from "../etl/spec.js";
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
import { binaryCopy, carefulDba, executeValues, findPython, psqlCopy, stageAlone } from "./variants.js";

export interface LoadOptions {
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
    textRows: has("psql", "dba") ? 2 * rows : 0,
    binaryRows: has("stage", "python") ? rows : 0,
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
        const measured = await stack.withDatabase(() =>
          measure(stack, variant, { rows, spec, source, inputs, python }),
        );
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

async function measure(
  stack: Stack,
  variant: Variant,
  { rows, spec, source, inputs, python }: Given,
): Promise<Pick<Figure, "rows" | "seconds" | "peakMb">> {
  switch (variant) {
    case "psql":
      return psqlCopy(stack, inputs);
    case "dba":
      return carefulDba(stack, inputs);
    case "stage":
      return stageAlone(stack, spec, source);
    case "binary":
      return binaryCopy(stack, inputs);
    case "python":
      return executeValues(stack, inputs, python ?? "python3");
    case "pipeline":
      return wholePipeline(stack, rows);
    case "large":
      return wholePipeline(stack, 2 * rows);
    case "small":
      return wholePipeline(stack, Math.round(rows / 5));
  }
}

async function wholePipeline(
  stack: Stack,
  rows: number,
): Promise<Pick<Figure, "rows" | "seconds" | "peakMb">> {
  const { accepted, seconds, peakMb } = await runPipeline(stack, rows);
  return { rows: accepted, seconds, peakMb };
}

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
  if (has("psql", "dba")) {
    report.say("preparing: loading what the others are to copy");
    text = await stack.withDatabase(async () => {
      await runPipeline(stack, spec.rows);
      report.say("preparing: exporting it as text");
      return exportText(stack, folder, spec);
    });
  }
  if (has("stage", "python")) {
    report.say("preparing: writing chunks as binary files");
  }
  const chunks = has("stage", "python") ? await writeBinary(stack, folder, spec, source) : [];
  await flush(folder);
  return { ...text, chunks };
}

function describe(figure: Figure): string {
  const { rows, seconds, peakMb } = figure;
  const count = (value: number) => Math.round(value).toLocaleString("en-US");
  const peak = peakMb === undefined ? "" : `, worker's peak ${count(peakMb)} MB`;
  return `${count(rows)} rows in ${seconds.toFixed(1)} s: ${count(rateOf(figure))} rows/s${peak}`;
}
