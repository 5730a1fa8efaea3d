import type { Pool } from "../../../lib/postgres/pool.js";
import { withPool } from "../../../lib/postgres/with_pool.js";
import { print } from "../../../lib/process/stdout.js";
import { PUBLISH } from "../../harness/proxy.js";
import { checkLeftovers, checkQueues } from "../checks.js";
import type { Tally } from "../inject.js";
import type { PipelineOptions } from "../options.js";
import { type Check, clock, type Rig, type Trial } from "../rig.js";
import { SERVERS, scheduleOf } from "../schedule.js";
import { Driver } from "./drive.js";
import { type Load, loadOf } from "./load.js";
import { checkDeadLetters, compare, LEFTOVERS, outcomeOf } from "./verdict.js";

const ORACLE_DATABASE = "payments_oracle";
/** Beyond the faults themselves: set-up, the oracle, the rest of the load, the checks. */
const LIMIT_MS = 45 * 60_000;
const LIMIT_MS_PER_ROW = 0.2;

/** Runs of the pipeline, loaded by workers under faults: what is there at the end is what there is without faults. */
export function pipelineTrial(options: PipelineOptions): Trial {
  const { seed, minutes, rows, workers, longestFreezeS } = options;
  const durationMs = Math.round(minutes * 60_000);
  const processes = Array.from({ length: workers }, (_, number) => ({
    name: `worker ${number}`,
    args: ["worker"],
    uses: SERVERS,
    settings: { WORKER_CONCURRENCY: 2 },
    message: PUBLISH,
  }));
  const load = loadOf({ seed, durationMs, rows });
  return {
    title: `${minutes} min, ${rows} rows in ${load.runs.length} runs, ${workers} workers`,
    seed,
    durationMs,
    events: scheduleOf({
      seed,
      durationMs,
      processes,
      processGapMs: [3_000, 18_000],
      longestFreezeMs: longestFreezeS * 1_000,
    }),
    processes,
    limitMs: LIMIT_MS + durationMs + rows * LIMIT_MS_PER_ROW,
    run: (rig) => new PipelineTrial(rig, load).run(),
    printLoad: () => printLoad(load),
  };
}

function printLoad(load: Load): void {
  for (const { atMs, spec } of load.runs) {
    print(`${clock(atMs)}  run  ${JSON.stringify(spec)}`);
  }
  for (const { atMs, body } of load.poison) {
    print(`${clock(atMs)}  poison  ${body}`);
  }
}

class PipelineTrial {
  readonly #rig: Rig;
  readonly #load: Load;

  constructor(rig: Rig, load: Load) {
    this.#rig = rig;
    this.#load = load;
  }

  async run() {
    const rig = this.#rig;
    const { settings } = rig.stack;
    await this.#prepare();
    const checks: Check[] = [];

    const oracle = await this.#withPool(ORACLE_DATABASE, async (pool) => {
      await this.#calmRun(pool);
      return outcomeOf(settings, pool, ORACLE_DATABASE);
    });
    if (oracle.verifyExit !== 0) {
      throw new Error(`the fault-free run fails verify: exit ${oracle.verifyExit}`);
    }
    rig.say(`oracle done: ${oracle.report?.rows} rows in ${oracle.digests.length} months`);

    const database = settings.POSTGRES_DB;
    return this.#withPool(database, async (pool) => {
      const tally = await this.#chaoticRun(pool, database, checks);
      await rig.stopAll();
      checks.push(rig.surprises(), await checkLeftovers(pool, LEFTOVERS.name, LEFTOVERS.sql));
      const dead = await checkDeadLetters(settings, this.#load);
      checks.push(dead.check, ...compare(oracle, await outcomeOf(settings, pool, database)));
      return { checks, tally, notes: [`dead letters: ${dead.letters}`] };
    });
  }

  /** Schema and dimensions, and a copy of both for the oracle. */
  async #prepare(): Promise<void> {
    const { settings } = this.#rig.stack;
    await this.#rig.payments("migrate", "up");
    await this.#rig.payments("seed");
    await withPool(settings, { role: "admin", database: "postgres" }, async (admin) => {
      await admin.query(`DROP DATABASE IF EXISTS ${ORACLE_DATABASE} WITH (FORCE)`);
      await admin.query(
        `CREATE DATABASE ${ORACLE_DATABASE} OWNER payments_owner TEMPLATE ${settings.POSTGRES_DB}`,
      );
    });
  }

  /** The whole load at once, no faults. */
  async #calmRun(pool: Pool): Promise<void> {
    const driver = await Driver.open(this.#rig.stack.settings, pool);
    try {
      const runs = await driver.enter(this.#load);
      this.#startWorkers(ORACLE_DATABASE);
      await driver.sendInTime(
        { runs: this.#load.runs.map((run) => ({ ...run, atMs: 0 })), poison: [] },
        runs,
      );
      const unfinished = await driver.drained();
      if (unfinished.length > 0) {
        throw new Error(`the fault-free run stalls: ${unfinished.join(", ")}`);
      }
      const queues = await checkQueues(this.#rig.stack);
      if (queues.complaints.length > 0) {
        throw new Error(`the fault-free run: ${queues.complaints.join(", ")}`);
      }
      await this.#rig.stopAll();
    } finally {
      await driver.close();
    }
  }

  async #chaoticRun(pool: Pool, database: string, checks: Check[]): Promise<Tally> {
    const driver = await Driver.open(this.#rig.stack.settings, pool);
    try {
      const runs = await driver.enter(this.#load);
      this.#startWorkers(database);
      const sending = driver.sendInTime(this.#load, runs);
      const tally = await this.#rig.disturb(() => Promise.resolve(false));
      await sending;
      this.#rig.say("faults over, waiting for the runs to end");
      const unfinished = await driver.drained();
      checks.push({ name: "all runs end by themselves", complaints: await this.#rescue(driver, unfinished) });
      checks.push(await checkQueues(this.#rig.stack));
      return tally;
    } finally {
      await driver.close();
    }
  }

  #startWorkers(database: string): void {
    for (const slot of this.#rig.slots) {
      slot.database = database;
    }
    this.#rig.startAll();
  }

  /** Should a run have stalled: where, and whether `payments resume` would have helped. */
  async #rescue(driver: Driver, unfinished: readonly string[]): Promise<string[]> {
    if (unfinished.length === 0) {
      return [];
    }
    const depths = await this.#rig.stack.queueDepths();
    const queues = [...depths].map(([name, messages]) => `${name} ${messages}`);
    this.#rig.say(`stalled: ${unfinished.join(", ")}; queues: ${queues.join(", ")}; resuming`);
    const sent = await driver.resume(unfinished);
    const still = await driver.drained();
    const after = still.length === 0 ? "all ended" : `still unfinished: ${still.join(", ")}`;
    return [
      `stalled: ${unfinished.join(", ")}; queues: ${queues.join(", ")}`,
      `payments resume sent ${sent} messages, then ${after}`,
    ];
  }

  async #withPool<T>(database: string, work: (pool: Pool) => Promise<T>): Promise<T> {
    return withPool(this.#rig.stack.settings, { database, max: 2, applicationName: "chaos" }, work);
  }
}
