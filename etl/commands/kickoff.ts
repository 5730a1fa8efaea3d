import { Command } from "commander";
import {
  type ActionWrapper,
  type CommandContext,
  print,
  printJson,
  withDatabase,
} from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import { CoreError } from "../../lib/core_errors.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createRun, topUp } from "../ledger/new_run.js";
import { isOver, listRuns, type Run } from "../ledger/run.js";
import { cancelRun } from "../runs/cancel.js";
import { defaultSpec } from "../runs/default_spec.js";
import { requireSeed } from "../seed/state.js";
import type { EtlSettings } from "../settings.js";
import type { Spec } from "../spec.js";
import { withBroker } from "./send.js";
import { summarize } from "./summary.js";
import { watchRuns } from "./watch.js";

interface Options {
  rows?: number;
  target?: number;
  seed?: number;
  from?: string;
  to?: string;
  dirtRate?: number;
  fraudRate?: number;
  fraudDifficulty?: string;
  chunkRows?: number;
  wait?: boolean;
}

export function kickoffCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("kickoff")
    .description("start a run; without options the default run of the STAGE_* settings")
    .option("--rows <n>", "transactions to generate", toNumber)
    .option("--target <n>", "generate only what all runs together lack of this many", toNumber)
    .option("--seed <n>", "same seed on an empty database, same data", toNumber)
    .option("--from <date>", "first day, YYYY-MM-DD (UTC)")
    .option("--to <date>", "day after the last")
    .option("--dirt-rate <share>", "share of rows with a defect, 0..1", toNumber)
    .option("--fraud-rate <share>", "share of rows in fraud patterns, 0..1", toNumber)
    .option("--fraud-difficulty <level>", "how fraud hides: easy, medium or hard")
    .option("--chunk-rows <n>", "most rows in a chunk", toNumber)
    .option("--wait", "show progress until every unfinished run is done, then a summary")
    .action(action(kickoff));
}

async function kickoff(context: CommandContext<EtlSettings>, options: Options): Promise<undefined> {
  // All that can be said against the spec is said before any server is asked.
  const spec = defaultSpec(context.settings, flagsOf(options));
  if (options.target !== undefined && options.rows !== undefined) {
    throw new CoreError("USAGE_INVALID", "--rows and --target exclude each other.");
  }
  await withDatabase(context, async (pool) => {
    const started = await startRun(context, pool, spec, options.target);
    if (!context.json) {
      print(
        started === undefined
          ? `${formatCount(options.target ?? 0)} transactions have been asked for already: nothing to start`
          : `run ${started.runId}: ${formatCount(started.spec.rows)} transactions`,
      );
    }
    const waited = options.wait === true ? await wait(context, pool, started?.runId) : undefined;
    if (context.json) {
      printJson({ run: started?.runId ?? null, rows: started?.spec.rows ?? 0, ...waited });
    }
  });
  return undefined;
}

/** @returns undefined when the target has been reached. @throws PlatformError NOT_SEEDED, RABBITMQ_*: then nothing was started */
export async function startRun(
  context: CommandContext<EtlSettings>,
  pool: Pool,
  spec: Spec,
  target?: number,
): Promise<Run | undefined> {
  await requireSeed(pool);
  // The broker is reached before the run is entered, so that a missing one leaves nothing behind.
  return withBroker(context, async (send) => {
    const window = context.settings.STAGE_WINDOW;
    const run =
      target === undefined ? await createRun(pool, spec, window) : await topUp(pool, spec, window, target);
    if (run !== undefined) {
      // A run whose first message did not get through would stand in the ledger for good; should it arrive after all, it is void.
      await send(pool, [{ kind: "plan", run: run.runId }]).catch(async (error: unknown) => {
        await cancelRun(pool, run.runId);
        throw error;
      });
    }
    return run;
  });
}

async function wait(
  context: CommandContext<EtlSettings>,
  pool: Pool,
  started: string | undefined,
): Promise<object> {
  const unfinished = (await listRuns(pool)).filter((run) => !isOver(run.state) || run.runId === started);
  const ids = unfinished.map((run) => run.runId);
  const runs = await watchRuns(pool, ids, context.interruption());
  if (!context.json && runs.length > 0) {
    print(`\n${await summarize(pool, runs)}`);
  }
  return { runs };
}

function flagsOf(options: Options): Partial<Spec> {
  const flags = {
    rows: options.rows ?? options.target,
    seed: options.seed,
    fromOn: options.from,
    toOn: options.to,
    dirtRate: options.dirtRate,
    fraudRate: options.fraudRate,
    fraudDifficulty: options.fraudDifficulty,
    chunkRows: options.chunkRows,
  };
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}

/** What is not a number becomes NaN, which the spec refuses by name. */
function toNumber(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}
