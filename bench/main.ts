#!/usr/bin/env node
import { resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { EXIT, messageOf, PlatformError } from "../lib/errors.js";
import { say, stderrLines } from "../lib/process/stderr.js";
import { outputProblem, write } from "../lib/process/stdout.js";
import { type AppendOptions, benchAppend } from "./append.js";
import { benchBackup } from "./backup.js";
import { type AvailabilityOptions, benchAvailability } from "./campaigns/availability.js";
import { benchConsole, type ConsoleOptions } from "./console/command.js";
import { benchIngest, PARTS as INGEST_PARTS, type IngestOptions } from "./ingest/command.js";
import { benchLeak } from "./leak.js";
import { benchLoad } from "./load.js";
import { machineFacts, requireDurability } from "./machine.js";
import { benchMonitor, type MonitorOptions } from "./monitor/command.js";
import { benchOnce, type OnceOptions } from "./partners/once.js";
import { benchPayments, PARTS, type PaymentsOptions } from "./payments/command.js";
import { LAYOUTS } from "./payments/fleet.js";
import { benchPgbench } from "./pgbench.js";
import { RATIOS } from "./ratios.js";
import { Report } from "./report.js";
import { benchSwitch } from "./reports/command.js";
import { benchSetting, putBack, readChange } from "./setting.js";
import { Stack } from "./stack.js";

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // The first one cleans up; whoever insists leaves that to the next bench.
    if (interruption.signal.aborted) {
      process.exit(EXIT.interrupted);
    }
    interruption.abort();
  });
}

const NAMES = RATIOS.map(({ name }) => name);
const LAYOUT_NAMES = Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[];
const program = new Command("bench.sh")
  .configureOutput({ writeOut: write, writeErr: (text) => stderrLines.write(text) })
  .description(
    "Measures on the local stack, in databases and a vhost of its own. Progress goes to stderr, results to stdout.",
  )
  .addHelpText(
    "after",
    "\nHow to read the figures: docs/bench.md. Exit status: 0 ok, 1 failed, 2 usage, 130 interrupted.",
  );

measures(
  program
    .command("load")
    .description("the whole pipeline against what one would do by hand: ratios R1, R2, R4, R5 and R6")
    .option("--rows <n>", "rows N of the measured load", count(10_000, 1_000_000_000), 10_000_000)
    .option("--runs <k>", "rounds; each measures everything once", count(1, 99), 3)
    .option("--only <names>", "some of the ratios, e.g. R1,R2", someOf(NAMES), NAMES)
    .option("--keep", "leave the files that were copied in STACK_DIR/bench", false),
  benchLoad,
);
measures(
  program
    .command("append")
    .description("what it costs to add to months that stand: 1,000 rows, then as many as stand")
    .option("--rows <n>", "rows N that stand", count(10_000, 1_000_000_000), 3_000_000)
    .option("--runs <k>", "times that 1,000 rows are added", count(1, 99), 5)
    .option("--no-double", "without the N rows onto N"),
  (stack, report, options: AppendOptions) => benchAppend(stack, report, options),
);
measures(
  program
    .command("leak")
    .description(
      "fraud that is to be looked for: what a column, a pair and the history tell of it, of large runs",
    )
    .option("--rows <n>", "rows of each run", count(10_000, 1_000_000_000), 3_000_000)
    .option("--seeds <k>", "runs of each difficulty, of seed 1 and on", count(1, 99), 2),
  benchLeak,
);
measures(
  program
    .command("pgbench")
    .description("what a payments database serves, by pgbench on a loaded database: TPS and latencies")
    .option("--clients <c>", "sessions at a time", count(1, 1_000), 8)
    .option("--seconds <s>", "how long each script runs", count(1, 86_400), 30)
    .option("--rows <n>", "rows loaded beforehand", count(10_000, 1_000_000_000), 2_000_000),
  benchPgbench,
);
measures(
  program
    .command("setting")
    .description(
      "the same load with a server setting as it is and as another, in turn; it is put back at the end",
    )
    .argument("<name=value>", "e.g. max_wal_size=1GB", readChange)
    .option("--rows <n>", "rows of the load", count(10_000, 1_000_000_000), 2_000_000)
    .option("--runs <k>", "rounds; each measures both", count(1, 99), 3),
  benchSetting,
);
measures(
  program
    .command("backup")
    .description(
      "backup and restore drill of the stack's database as it is, against pg_dump -Fc and pg_restore",
    )
    .argument("[rounds]", "each measures everything once", count(1, 99), 3),
  (stack, report, _options: object, rounds: number) => benchBackup(stack, report, rounds),
);
measures(
  program
    .command("payments")
    .description(
      "payments through all services at a steady rate, up to where they break, and the wallet alone",
    )
    .option("--rate <n>", "payments a minute of the steady load", count(60, 6_000_000), 100_000)
    .option("--seconds <s>", "of the steady load", count(1, 86_400), 60)
    .option("--only <parts>", `some of ${PARTS.join(",")}`, someOf(PARTS), [...PARTS])
    .option(
      "--layouts <names>",
      "of the steady load: some of one,two,all,dump",
      someOf(LAYOUT_NAMES),
      LAYOUT_NAMES,
    )
    .option("--profile", "in place of figures: where the time of the services' process goes", false),
  (stack, report, { rate: ratePerMin, ...options }: Omit<PaymentsOptions, "ratePerMin"> & { rate: number }) =>
    benchPayments(stack, report, { ...options, ratePerMin }),
);
measures(
  program
    .command("switch")
    .description(
      "the report under readers, while it is switched between versions, told of events and rebuilt",
    )
    .option("--rate <n>", "reads a second", count(1, 100_000), 500)
    .option("--seconds <s>", "how long", count(5, 86_400), 60)
    .option("--switches <k>", "between v1 and v2", count(1, 10_000), 20)
    .option("--events <n>", "events a second meanwhile", count(1, 10_000), 50)
    .option("--history <n>", "payouts told beforehand", count(0, 10_000_000), 20_000),
  benchSwitch,
);

measures(
  program
    .command("monitor")
    .description("windows of reports, all open at a time: false and missed alerts, and what was lost")
    .option("--windows <n>", "open at a time", count(1, 1_000_000), 10_000)
    .option("--seconds <s>", "how long each lasts", count(60, 300), 60),
  (stack, report, options: MonitorOptions) => benchMonitor(stack, report, options),
);
measures(
  program
    .command("console")
    .description("what pages of the console cost a process with nothing else to do: none, one and many open")
    .option("--pages <n>", "open at a time", count(1, 10_000), 200)
    .option("--seconds <s>", "how long each figure is measured", count(5, 3_600), 30)
    .option("--runs <k>", "rounds", count(1, 99), 3),
  (stack, report, options: ConsoleOptions) => benchConsole(stack, report, options),
);
measures(
  program
    .command("availability")
    .description("campaigns through HAProxy while its two nodes die in turn: answered, lost, overspent")
    .option("--rate <n>", "requests a second, each at its time", count(1, 10_000), 200)
    .option("--seconds <s>", "how long", count(5, 86_400), 600)
    .option("--every <s>", "seconds from one fault to the next", count(1, 3_600), 30)
    .option("--back <s>", "seconds until a node comes back", count(1, 3_600), 5),
  (stack, report, options: AvailabilityOptions) => benchAvailability(stack, report, options),
);
measures(
  program
    .command("once")
    .description(
      "partners' events, told again and out of order, with a gateway that fails: each takes effect once",
    )
    .option("--events <n>", "requests, repetitions among them", count(1, 10_000_000), 50_000)
    .option("--seconds <s>", "in which they are told", count(1, 86_400), 240)
    .option("--duplicates <share>", "of them told again", readShare, 0.2)
    .option("--failing <share>", "of the gateway's requests that go wrong", readShare, 0.1)
    .option("--seed <n>", "same seed, same events", count(0, 2 ** 31), 1)
    .option(
      "--kill-every <s>",
      "each process is killed in turn, so many seconds apart; 0: none",
      count(0, 3_600),
      0,
    ),
  (stack, report, options: OnceOptions) => benchOnce(stack, report, options),
);
measures(
  program
    .command("ingest")
    .description(
      "events of providers: told over HTTP, of unknown providers with a model to ask, out of a data lake with two pollers, and read among many",
    )
    .option("--only <parts>", `some of ${INGEST_PARTS.join(",")}`, someOf(INGEST_PARTS), [...INGEST_PARTS])
    .option("--batch <n>", "events told in batches", count(1_000, 100_000_000), 100_000)
    .option("--rows <n>", "rows of the data lake", count(1_000, 100_000_000), 1_000_000)
    .option(
      "--kill-every <s>",
      "one of the two pollers is killed in turn, so many seconds apart; 0: none",
      count(0, 3_600),
      0,
    )
    .option("--events <n>", "events there are when they are read", count(10_000, 1_000_000_000), 10_000_000),
  (stack, report, options: IngestOptions) => benchIngest(stack, report, options),
);

/** Lets a command measure; `work` gets its options and its argument, if it has one. */
function measures<Options, Argument>(
  command: Command,
  work: (stack: Stack, report: Report, options: Options, argument: Argument) => Promise<void>,
): void {
  command.option("--json <file>", "write all figures there").action(async () => {
    const options = command.opts<Options & { json?: string }>();
    const file = options.json && resolve(process.env["BENCH_CWD"] ?? ".", options.json);
    const stack = await Stack.open(interruption.signal);
    await stack.prepared(async () => {
      await putBack(stack); // of a bench that was killed
      const machine = await machineFacts(stack, Number(process.env["BENCH_LOAD_AVERAGE"]));
      requireDurability(machine.settings);
      await work(stack, new Report(command.name(), machine, file), options, command.processedArgs[0]);
    });
  });
}

function readShare(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError("It takes a share from 0 to 1.");
  }
  return value;
}

function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Some of `known`, in their order. */
function someOf<Name extends string>(known: readonly Name[]): (text: string) => Name[] {
  return (text) => {
    const names = text.split(",");
    const found = known.filter((name) => names.includes(name));
    if (found.length !== names.length) {
      throw new InvalidArgumentError(`It takes some of ${known.join(",")}.`);
    }
    return found;
  };
}

for (const command of [program, ...program.commands]) {
  command.exitOverride();
}
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
const problem = await outputProblem();
if (problem !== undefined) {
  process.exitCode = report(problem);
}

function report(error: unknown): number {
  const text = error instanceof PlatformError ? String(error) : `INTERNAL: ${messageOf(error)}`;
  if (interruption.signal.aborted) {
    const clean = error instanceof Error && error.name === "AbortError";
    const rest = clean ? "; everything of the bench is removed" : `, and then ${text}`;
    say(`bench.sh: interrupted${rest}`);
    return EXIT.interrupted;
  }
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  say(`bench.sh: ${text}`);
  return error instanceof PlatformError ? error.exitCode : EXIT.failed;
}
