import { fileURLToPath } from "node:url";
import { say as complain } from "../../lib/process/stderr.js";
import { outputProblem, print as say } from "../../lib/process/stdout.js";
import { type Options, readOptions, USAGE } from "./options.js";
import { pipelineTrial } from "./pipeline/trial.js";
import { clock, Rig, type Trial } from "./rig.js";
import { describeFault } from "./schedule.js";
import { servicesTrial } from "./services/trial.js";

export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.includes("--help")) {
    say(USAGE);
    return 0;
  }
  const options = readOptions(args);
  if (typeof options === "string") {
    complain(`chaos.sh: ${options}\n\n${USAGE}`);
    return 2;
  }
  const trial = trialOf(options);
  say(`chaos: seed ${trial.seed}, ${trial.title}, ${trial.events.length} faults`);
  if (options.printSchedule) {
    trial.printLoad();
    for (const { atMs, fault } of trial.events) {
      say(`${clock(atMs)}  ${describeFault(fault)}`);
    }
    return 0;
  }
  const stackDir = env["STACK_DIR"];
  const logDir = env["CHAOS_LOG_DIR"];
  if (stackDir === undefined || logDir === undefined) {
    throw new Error("start it through scripts/chaos.sh");
  }
  return (await Rig.open(trial, { stackDir, logDir })).run();
}

function trialOf(options: Options): Trial {
  return options.rig === "pipeline" ? pipelineTrial(options) : servicesTrial(options);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2), process.env).catch((error: unknown) => {
    complain(`chaos.sh: ${error instanceof Error ? error.stack : error}`);
    return 1;
  });
  const problem = await outputProblem();
  if (problem !== undefined) {
    complain(`chaos.sh: ${problem}`);
  }
  if (problem !== undefined) {
    process.exitCode ||= problem.exitCode;
  }
}
