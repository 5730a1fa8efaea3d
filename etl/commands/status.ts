import { Command } from "commander";
import {
  type ActionWrapper,
  type CommandContext,
  print,
  printJson,
  withDatabase,
} from "../../lib/cli/command.js";
import { formatSeconds, formatTable } from "../../lib/cli/table.js";
import { type RunStatus, runStatus } from "../runs/status.js";
import { stuck } from "../runs/stuck.js";
import type { EtlSettings } from "../settings.js";
import { timeToGo, watchRuns } from "./watch.js";

export function statusCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("status")
    .description("runs, their steps, rows/s and time to go")
    .argument("[run]", "run id, e.g. r1; all runs when left out")
    .option("--watch", "follow until done")
    .action(action(status));
}

async function status(
  context: CommandContext<EtlSettings>,
  runId: string | undefined,
  options: { watch?: boolean },
): Promise<undefined> {
  await withDatabase(context, async (pool) => {
    let runs = await runStatus(pool, runId === undefined ? null : [runId]);
    if (options.watch) {
      const watched = runs.map((run) => run.run);
      runs = await watchRuns(pool, watched, context.interruption());
    }
    if (context.json) {
      printJson({ runs });
      return;
    }
    print(runs.length === 0 ? "no runs yet; start one: payments kickoff" : tableOf(runs));
    for (const problem of runs.map(stuck).filter((found) => found !== undefined)) {
      print(`\n${problem.why}\n${problem.todo}`);
    }
  });
  return undefined;
}

function tableOf(runs: readonly RunStatus[]): string {
  return formatTable(
    [
      "run",
      "state",
      "rows",
      "staged",
      "cleaned",
      "accepted",
      "rejected",
      "months",
      "elapsed",
      "rows/s",
      "to go",
    ],
    runs.map((run) => [
      run.run,
      run.state,
      run.rows,
      run.rowsDone.stage,
      run.rowsDone.clean,
      run.accepted,
      run.rejected,
      `${run.months.done}/${run.months.total}`,
      formatSeconds(run.elapsedS),
      run.rowsPerS,
      timeToGo(run),
    ]),
  );
}
