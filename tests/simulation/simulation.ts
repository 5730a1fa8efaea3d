import { setImmediate as nextRound } from "node:timers/promises";
import { type AllSettings, loadAllSettings } from "../../app/settings.js";
import { lockMonth } from "../../etl/ledger/month.js";
import { createRun } from "../../etl/ledger/new_run.js";
import { formatMessage } from "../../etl/message.js";
import { ETL_QUEUES } from "../../etl/queues.js";
import { cancelRun } from "../../etl/runs/cancel.js";
import { defaultSpec } from "../../etl/runs/default_spec.js";
import { missingMessages } from "../../etl/runs/resume.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { Broker } from "./broker.js";
import { ANYTHING, type Disturbance } from "./faults.js";
import { Postgres } from "./postgres.js";
import { checkCommitted, checkEnd } from "./rules.js";
import { type Actor, type Move, RuleBroken, Scheduler } from "./scheduler.js";
import { WorkerProcess } from "./worker.js";

/** One in so many moves is a fault, until all are spent: so they fall all over a schedule, which has some 225 moves. */
const MOVES_PER_FAULT = 25;
const MOST_FAULTS = 8;
/** How often heal looks at a month that it holds; each look takes two moves, and an agg some ten. */
const LOOKS = 10;
/** Far more than any schedule needs: one that gets there goes round in circles. */
const MOST_MOVES = 20_000;

/** One month or two, of one to three chunks each; few plans, because a plan is remembered and a new one takes a millisecond. */
const SIZES = [
  { STAGE_TARGET_TXN: "5", STAGE_TO: "2025-02-01" },
  { STAGE_TARGET_TXN: "10", STAGE_TO: "2025-02-01" },
  { STAGE_TARGET_TXN: "15", STAGE_TO: "2025-02-01" },
  { STAGE_TARGET_TXN: "9", STAGE_TO: "2025-03-01" },
  { STAGE_TARGET_TXN: "12", STAGE_TO: "2025-03-01" },
].map(settingsOf);

/** Runs of a schedule. They share all their months: one publishes a month, the others append to it, at once if they can. */
const RUNS = [1, 1, 1, 1, 1, 1, 1, 1, 2, 3];

/** How runs begin: by command, or by an operator who types `stage` into the management UI. */
export type Beginning = "a kickoff" | "a bare stage";

/** A schedule: servers, workers and faults in one process, everything decided by the seed. */
export class Simulation {
  readonly scheduler: Scheduler;
  readonly postgres: Postgres;
  readonly broker: Broker;
  readonly workers: readonly WorkerProcess[];
  readonly runs: number;
  /** Messages were lost with the broker's disk, and `payments resume` is still to come. */
  owesResume = false;
  readonly #beginning: Beginning;
  readonly #disturbance: Disturbance;
  readonly #settings: AllSettings;
  readonly #operator: Actor = { name: "operator", alive: true };
  readonly #pool: Pool;
  readonly #workers: WorkerProcess[];
  #faultsLeft: number;
  #starts = 0;
  #resuming = false;

  constructor(seed: number, beginning: Beginning, disturbance = ANYTHING) {
    this.scheduler = new Scheduler(seed);
    const { dice } = this.scheduler;
    this.postgres = new Postgres(this.scheduler, checkCommitted);
    this.broker = new Broker(this.scheduler);
    this.#pool = this.postgres.pool(this.#operator) as unknown as Pool;
    this.#settings = { ...dice.pick(SIZES), STAGE_WINDOW: dice.between(1, 3) };
    this.#beginning = beginning;
    this.#disturbance = disturbance;
    this.runs = beginning === "a bare stage" ? 1 : dice.pick(RUNS);
    this.#faultsLeft = dice.between(0, MOST_FAULTS);
    this.#workers = Array.from({ length: dice.between(2, 4) }, () => this.#startWorker());
    this.workers = this.#workers;
  }

  /** @throws RuleBroken, or what else went wrong. */
  async run(): Promise<void> {
    await this.#begin();
    for (let moves = 0; moves < MOST_MOVES; moves++) {
      let possible = this.#possible();
      if (possible.length === 0) {
        // A Node stream moves on in ticks of its own.
        await nextRound();
        possible = this.#possible();
      }
      if (possible.length === 0) {
        return checkEnd(this.postgres, this.broker, this.runs);
      }
      await this.scheduler.make(this.#fault() ?? this.scheduler.dice.pick(possible));
    }
    throw new RuleBroken(`no end after ${MOST_MOVES} moves`);
  }

  /** Nothing disturbs the command; what one that died leaves behind, losing the broker's disk leaves too. */
  async #begin(): Promise<void> {
    if (this.#beginning === "a bare stage") {
      this.broker.put(ETL_QUEUES.work, "stage");
      return;
    }
    const kickoff = async () => {
      const run = await createRun(this.#pool, defaultSpec(this.#settings), this.#settings.STAGE_WINDOW);
      this.broker.put(ETL_QUEUES.work, formatMessage({ kind: "plan", run: run.runId }));
    };
    for (let i = 0; i < this.runs; i++) {
      const begun = kickoff();
      begun.catch(() => undefined);
      for (let move = this.scheduler.turns[0]; move !== undefined; move = this.scheduler.turns[0]) {
        await this.scheduler.make(move);
      }
      await begun;
    }
  }

  #fault(): Move | undefined {
    const { dice } = this.scheduler;
    if (this.#faultsLeft === 0 || dice.between(1, MOVES_PER_FAULT) > 1) {
      return undefined;
    }
    const fault = dice.pick(this.#disturbance.faults);
    return {
      what: "fault",
      go: () => {
        const what = fault(this);
        if (what === undefined) {
          return;
        }
        this.#faultsLeft -= 1;
        this.scheduler.note(`  ** ${what}`);
      },
    };
  }

  #possible(): readonly Move[] {
    const { postgres, broker } = this;
    if (this.#disturbance.operatorFirst) {
      const ofOperator = this.scheduler.turns.filter(({ actor }) => actor === this.#operator);
      if (ofOperator.length > 0) {
        return ofOperator;
      }
    }
    const moves: Move[] = [...this.scheduler.turns, ...broker.moves()];
    if (!postgres.up) {
      moves.push({ what: "PostgreSQL is back", go: () => postgres.restart() });
    }
    if (!broker.up) {
      moves.push({ what: "RabbitMQ is back", go: () => broker.restart() });
    }
    for (const worker of this.#workers) {
      const { name, alive } = worker.actor;
      const ended = !alive || (worker.stopping && broker.idle(worker));
      if (ended) {
        moves.push({ what: `another worker for ${name}`, go: () => this.#replace(worker) });
      } else if (broker.up && !worker.stopping && !broker.subscribed(worker)) {
        moves.push({ what: `${name} consumes`, go: () => broker.subscribe(worker) });
      }
    }
    if (this.owesResume && !this.#resuming && postgres.up && broker.up) {
      moves.push({ what: "payments resume", go: () => void this.#resume() });
    }
    return moves;
  }

  #startWorker(): WorkerProcess {
    this.#starts += 1;
    return new WorkerProcess(`w${this.#starts}`, this.#settings, this.scheduler, this.postgres, this.broker);
  }

  #replace(worker: WorkerProcess): void {
    worker.kill();
    this.#workers[this.#workers.indexOf(worker)] = this.#startWorker();
  }

  /** By hand; when it fails, the run is cancelled or goes on. */
  cancel(run: string): void {
    cancelRun(this.#pool, run).catch((error: unknown) => {
      this.scheduler.note(`  cancel fails: ${String(error)}`);
    });
  }

  /** As heal does, which makes a month anew from the runs that are done with it: none may come to them while it holds the month. */
  hold(month: string): void {
    const held = transaction(this.#pool, async (client) => {
      const runs = await lockMonth(client, month);
      for (let look = 0; look < LOOKS; look++) {
        const now = await lockMonth(client, month);
        if (now.join() !== runs.join()) {
          this.scheduler.failure ??= new RuleBroken(`${month} was held with ${runs}, and has got ${now}`);
        }
      }
    });
    held.catch((error: unknown) => {
      this.scheduler.note(`  heal fails: ${String(error)}`);
    });
  }

  /** By hand, so whoever does it does it again when it fails. */
  async #resume(): Promise<void> {
    this.#resuming = true;
    this.owesResume = false;
    try {
      for (const { run_id } of [...this.postgres.db.runs.values()]) {
        for (const message of await missingMessages(this.#pool, run_id)) {
          await this.broker.publish(this.#operator, ETL_QUEUES.work, formatMessage(message));
        }
      }
    } catch (error) {
      this.scheduler.note(`  resume fails: ${String(error)}`);
      this.owesResume = true;
    } finally {
      this.#resuming = false;
    }
  }
}

function settingsOf(flags: Record<string, string>): AllSettings {
  const passwords = { POSTGRES_PASSWORD: "-", POSTGRES_ADMIN_PASSWORD: "-", RABBITMQ_PASSWORD: "-" };
  const small = { WORKER_CONCURRENCY: "2", STAGE_FROM: "2025-01-01", STAGE_CHUNK_SIZE: "5" };
  return loadAllSettings({ env: passwords, envFile: "/nonexistent/.env", flags: { ...small, ...flags } });
}
