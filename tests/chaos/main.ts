import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { say as complain } from "../../lib/process/stderr.js";
import { outputProblem, print as say } from "../../lib/process/stdout.js";
import { payments } from "./command.js";
import { Driver } from "./drive.js";
import { failuresIn, WorkerSlot } from "./fleet.js";
import { inject, type Tally } from "./inject.js";
import { type Load, loadOf } from "./load.js";
import { type Options, readOptions, USAGE } from "./options.js";
import { describeFault, type Event, scheduleOf } from "./schedule.js";
import { Stack } from "./stack.js";
import { type Check, checkDeadLetters, checkLeftovers, checkQueues, compare, outcomeOf } from "./verdict.js";

const ORACLE_DATABASE = "payments_oracle";
/** Beyond the faults themselves: set-up, the oracle, the rest of the load, the checks. */
const LIMIT_MS = 45 * 60_000;
const LIMIT_MS_PER_ROW = 0.2;

const clock = (ms: number) =>
  `${Math.floor(ms / 60_000)}:${((ms % 60_000) / 1_000).toFixed(1).padStart(4, "0")}`;

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
  const { seed, minutes, rows, workers } = options;
  const durationMs = Math.round(minutes * 60_000);
  const events = scheduleOf({ seed, durationMs, workers, longestFreezeMs: options.longestFreezeS * 1_000 });
  const load = loadOf({ seed, durationMs, rows });
  say(
    `chaos: seed ${seed}, ${minutes} min, ${rows} rows in ${load.runs.length} runs, ${workers} workers, ${events.length} faults`,
  );
  if (options.printSchedule) {
    printSchedule(events, load);
    return 0;
  }
  const stackDir = env["STACK_DIR"];
  const logDir = env["CHAOS_LOG_DIR"];
  if (stackDir === undefined || logDir === undefined) {
    throw new Error("start it through scripts/chaos.sh");
  }
  return new Rig(options, events, load, await Stack.attach(stackDir), logDir).run();
}

function printSchedule(events: readonly Event[], load: Load): void {
  for (const { atMs, spec } of load.runs) {
    say(`${clock(atMs)}  run  ${JSON.stringify(spec)}`);
  }
  for (const { atMs, body } of load.poison) {
    say(`${clock(atMs)}  poison  ${body}`);
  }
  for (const { atMs, fault } of events) {
    say(`${clock(atMs)}  ${describeFault(fault)}`);
  }
}

class Rig {
  readonly #options: Options;
  readonly #events: readonly Event[];
  readonly #load: Load;
  readonly #stack: Stack;
  readonly #logDir: string;
  readonly #slots: WorkerSlot[] = [];
  readonly #started = Date.now();

  constructor(options: Options, events: readonly Event[], load: Load, stack: Stack, logDir: string) {
    this.#options = options;
    this.#events = events;
    this.#load = load;
    this.#stack = stack;
    this.#logDir = logDir;
  }

  /** Ends the process, in time and whatever happens. */
  async run(): Promise<never> {
    const limitMs = LIMIT_MS + this.#options.minutes * 60_000 + this.#options.rows * LIMIT_MS_PER_ROW;
    const abandoned = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`not over after ${clock(limitMs)}`)), limitMs);
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => reject(new Error(`ended by ${signal}`)));
      }
    });
    const status = await Promise.race([this.#run(), abandoned]).catch((error: unknown) => {
      const why = error instanceof Error ? error.stack : String(error);
      say(`chaos: FAIL  seed ${this.#options.seed}: the rig itself failed: ${why}`);
      return 1;
    });
    await Promise.all(this.#slots.map((slot) => slot.kill()));
    // Whatever faults are still under way end here.
    process.exit(status);
  }

  async #run(): Promise<number> {
    const { settings } = this.#stack;
    for (let number = 0; number < this.#options.workers; number++) {
      this.#slots.push(await WorkerSlot.open(this.#stack, number, this.#logDir));
    }
    await this.#prepare();
    const checks: Check[] = [];

    const oracle = await this.#withPool(ORACLE_DATABASE, async (pool) => {
      await this.#calmRun(pool);
      return outcomeOf(settings, pool, ORACLE_DATABASE);
    });
    if (oracle.verifyExit !== 0) {
      throw new Error(`the fault-free run fails verify: exit ${oracle.verifyExit}`);
    }
    say(`${this.#now()}  oracle done: ${oracle.report?.rows} rows in ${oracle.digests.length} months`);

    const database = settings.POSTGRES_DB;
    const { tally, letters } = await this.#withPool(database, async (pool) => {
      const faults = await this.#chaoticRun(pool, database, checks);
      await Promise.all(this.#slots.map((slot) => slot.stop()));
      checks.push({
        name: "no worker ended by itself, all end on SIGTERM",
        complaints: this.#slots.flatMap((slot) => slot.surprises),
      });
      checks.push(await checkLeftovers(pool));
      const dead = await checkDeadLetters(settings, this.#load);
      checks.push(dead.check, ...compare(oracle, await outcomeOf(settings, pool, database)));
      return { tally: faults, letters: dead.letters };
    });
    return this.#conclude(checks, tally, letters);
  }

  /** Schema and dimensions, and a copy of both for the oracle. */
  async #prepare(): Promise<void> {
    const { settings } = this.#stack;
    for (const args of [["migrate", "up"], ["seed"]]) {
      const { code, stderr } = await payments(settings, ...args);
      if (code !== 0) {
        throw new Error(`payments ${args.join(" ")}: exit ${code}: ${stderr}`);
      }
    }
    await withPool(settings, { role: "admin", database: "postgres" }, async (admin) => {
      await admin.query(`DROP DATABASE IF EXISTS ${ORACLE_DATABASE} WITH (FORCE)`);
      await admin.query(
        `CREATE DATABASE ${ORACLE_DATABASE} OWNER payments_owner TEMPLATE ${settings.POSTGRES_DB}`,
      );
    });
  }

  /** The whole load at once, no faults. */
  async #calmRun(pool: Pool): Promise<void> {
    const driver = await Driver.open(this.#stack.settings, pool);
    try {
      const runs = await driver.enter(this.#load);
      for (const slot of this.#slots) {
        slot.start(ORACLE_DATABASE);
      }
      await driver.sendInTime(
        { runs: this.#load.runs.map((run) => ({ ...run, atMs: 0 })), poison: [] },
        runs,
      );
      const unfinished = await driver.drained();
      if (unfinished.length > 0) {
        throw new Error(`the fault-free run stalls: ${unfinished.join(", ")}`);
      }
      const queues = await checkQueues(this.#stack);
      if (queues.complaints.length > 0) {
        throw new Error(`the fault-free run: ${queues.complaints.join(", ")}`);
      }
      await Promise.all(this.#slots.map((slot) => slot.stop()));
    } finally {
      await driver.close();
    }
  }

  async #chaoticRun(pool: Pool, database: string, checks: Check[]): Promise<Tally> {
    const driver = await Driver.open(this.#stack.settings, pool);
    try {
      const runs = await driver.enter(this.#load);
      for (const slot of this.#slots) {
        slot.start(database);
      }
      const began = Date.now();
      const sending = driver.sendInTime(this.#load, runs);
      const targets = { stack: this.#stack, slots: this.#slots, database };
      const tally = await inject(this.#events, targets, (event) =>
        say(`${this.#now()}  ${clock(Date.now() - began)}  ${describeFault(event.fault)}`),
      );
      await sleep(Math.max(0, began + this.#options.minutes * 60_000 - Date.now()));
      await this.#heal(database);
      await sending;
      say(`${this.#now()}  faults over, waiting for the runs to end`);
      const unfinished = await driver.drained();
      checks.push({ name: "all runs end by themselves", complaints: await this.#rescue(driver, unfinished) });
      checks.push(await checkQueues(this.#stack));
      return tally;
    } finally {
      await driver.close();
    }
  }

  async #heal(database: string): Promise<void> {
    for (const slot of this.#slots) {
      for (const proxy of Object.values(slot.proxies)) {
        proxy.pass();
      }
      slot.thaw();
      slot.start(database);
    }
    await this.#stack.up();
  }

  /** Should a run have stalled: where, and whether `payments resume` would have helped. */
  async #rescue(driver: Driver, unfinished: readonly string[]): Promise<string[]> {
    if (unfinished.length === 0) {
      return [];
    }
    const queues = [...(await this.#stack.queueDepths())].map(([name, messages]) => `${name} ${messages}`);
    say(`${this.#now()}  stalled: ${unfinished.join(", ")}; queues: ${queues.join(", ")}; resuming`);
    const sent = await driver.resume(unfinished);
    const still = await driver.drained();
    const after = still.length === 0 ? "all ended" : `still unfinished: ${still.join(", ")}`;
    return [
      `stalled: ${unfinished.join(", ")}; queues: ${queues.join(", ")}`,
      `payments resume sent ${sent} messages, then ${after}`,
    ];
  }

  async #withPool<T>(database: string, work: (pool: Pool) => Promise<T>): Promise<T> {
    return withPool(this.#stack.settings, { database, max: 2, applicationName: "chaos" }, work);
  }

  #conclude(checks: readonly Check[], tally: Tally, letters: number): number {
    say("");
    const kinds = [...new Set([...tally.done.keys(), ...tally.missed.keys()])].sort();
    for (const kind of kinds) {
      const missed = tally.missed.get(kind);
      say(
        `${kind.padEnd(20)} ${tally.done.get(kind) ?? 0}${missed ? ` (and ${missed} that met nobody)` : ""}`,
      );
    }
    const failures = [...failuresIn(this.#slots.map((slot) => slot.logFile))].map(
      ([what, n]) => `${what} ${n}`,
    );
    say(`failures logged: ${failures.join(", ") || "none"}; dead letters: ${letters}`);
    for (const note of this.#stack.secondStarts) {
      say(note);
    }
    say("");
    for (const { name, complaints } of checks) {
      say(`${complaints.length === 0 ? "ok  " : "FAIL"}  ${name}`);
      for (const complaint of complaints.slice(0, 20)) {
        say(`      ${complaint}`);
      }
    }
    const failed = checks.filter((check) => check.complaints.length > 0).length;
    const faults = [...tally.done.values()].reduce((sum, n) => sum + n, 0);
    const { seed, minutes, rows } = this.#options;
    const verdict = failed === 0 ? "PASS" : "FAIL";
    say(
      `chaos: ${verdict}  seed ${seed}, ${minutes} min, ${rows} rows, ${faults} faults, over after ${this.#now()}`,
    );
    return failed === 0 ? 0 : 1;
  }

  #now(): string {
    return clock(Date.now() - this.#started);
  }
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
