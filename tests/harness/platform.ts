import type { AllSettings } from "../../app/settings.js";
import { createRun } from "../../etl/ledger/new_run.js";
import type { Run } from "../../etl/ledger/run.js";
import { formatMessage, type OutMessage } from "../../etl/message.js";
import { planRun } from "../../etl/plan.js";
import type { WorkerOptions } from "../../etl/process.js";
import { ETL_QUEUES } from "../../etl/queues.js";
import { missingMessages } from "../../etl/runs/resume.js";
import { runStatus } from "../../etl/runs/status.js";
import type { Spec } from "../../etl/spec.js";
import { cleanStep } from "../../etl/steps/clean.js";
import { planStep } from "../../etl/steps/plan_run.js";
import { stageStep } from "../../etl/steps/stage.js";
import type { StepContext } from "../../etl/steps/step.js";
import type { VerifyReport } from "../../etl/verify/report.js";
import { verify } from "../../etl/verify/verify.js";
import { Publisher } from "../../lib/broker/publisher.js";
import { silentLogger } from "../../lib/observability/log.js";
import { createPool, type Pool } from "../../lib/postgres/pool.js";
import { createVhost, dropVhost } from "./broker.js";
import { createDatabase, dropDatabase, withPool } from "./database.js";
import { eventually } from "./eventually.js";
import { openSessions, requireNothingLeft } from "./leaks.js";
import { testSettings } from "./settings.js";
import { createWorker, source, type Worker } from "./worker.js";

/** Three months, several chunks each, dirt and fraud enough to see every class. */
export const SMALL_SPEC: Spec = {
  rows: 30_000,
  seed: 7,
  fromOn: "2025-01-01",
  toOn: "2025-04-01",
  dirtRate: 0.05,
  fraudRate: 0.01,
  fraudDifficulty: "medium",
  chunkRows: 3_000,
};

/** A database and a vhost of a test's own, and what is needed to run the pipeline on them. */
export class Platform {
  readonly settings: AllSettings;
  readonly pool: Pool;
  readonly #publisher: Publisher;
  readonly #workers = new Set<Worker>();

  private constructor(settings: AllSettings) {
    this.settings = settings;
    this.pool = createPool(settings, { max: 4, applicationName: "test" });
    this.#publisher = new Publisher({
      address: settings,
      name: "test",
      logger: silentLogger,
      connectPolicy: "once",
      families: [ETL_QUEUES],
    });
  }

  static async create(flags: Partial<Record<keyof AllSettings, string>> = {}): Promise<Platform> {
    return Platform.on(await createDatabase("seeded"), flags);
  }

  /** On a database that is there, with a vhost of its own; it is dropped at the end like any other. */
  static async on(name: string, flags: Partial<Record<keyof AllSettings, string>> = {}): Promise<Platform> {
    await createVhost(testSettings(), name);
    const platform = new Platform(testSettings({ ...flags, POSTGRES_DB: name, RABBITMQ_VHOST: name }));
    await platform.#publisher.up();
    return platform;
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) {
      await worker.stop();
    }
    await this.#publisher.close();
    await this.pool.end();
    await dropVhost(this.settings, this.settings.RABBITMQ_VHOST);
    // Dropping ends whatever session is left, so that is looked for before and told after.
    const database = this.settings.POSTGRES_DB;
    const left = await withPool({ role: "admin" }, (admin) =>
      requireNothingLeft(() => openSessions(admin, database)).catch((error: unknown) => error),
    );
    await dropDatabase(database);
    if (left !== undefined) {
      throw left;
    }
  }

  async startWorker(concurrency = 2, options: WorkerOptions = {}): Promise<Worker> {
    const settings = { ...this.settings, WORKER_CONCURRENCY: concurrency };
    const worker = createWorker(settings, silentLogger, options);
    this.#workers.add(worker);
    await worker.start();
    return worker;
  }

  async stopWorker(worker: Worker): Promise<void> {
    this.#workers.delete(worker);
    await worker.stop();
  }

  async send(message: OutMessage): Promise<void> {
    await this.#publisher.publish(ETL_QUEUES.work, formatMessage(message));
  }

  /** What steps need that are run one by one, without a worker. */
  get context(): StepContext {
    return { pool: this.pool, source, logger: silentLogger, worker: "test" };
  }

  /** Runs a run's steps as far as asked, without messages: `staged` chunks of all, the first `cleaned` of them cleaned too. */
  async begin(spec: Partial<Spec>, upTo: { staged?: number; cleaned?: number } = {}): Promise<Run> {
    const run = await createRun(this.pool, { ...SMALL_SPEC, ...spec }, 4);
    await planStep(this.context, run.runId);
    const { staged = planRun(run.spec).chunks, cleaned = staged } = upTo;
    for (let chunk = 0; chunk < staged; chunk++) {
      await stageStep(this.context, run.runId, chunk);
    }
    for (let chunk = 0; chunk < cleaned; chunk++) {
      await cleanStep(this.context, run.runId, chunk);
    }
    return run;
  }

  /** Enters a run and sends its first message, as `payments kickoff` does. */
  async kickoff(spec: Partial<Spec> = {}, windowChunks = 4): Promise<Run> {
    const run = await createRun(this.pool, { ...SMALL_SPEC, ...spec }, windowChunks);
    await this.send({ kind: "plan", run: run.runId });
    return run;
  }

  /** Sends what a run waits for, as `payments resume` does, and waits until it is done. */
  async finish(runId: string): Promise<void> {
    for (const message of await missingMessages(this.pool, runId)) {
      await this.send(message);
    }
    await this.done(runId);
  }

  async done(runId: string, withinMs = 180_000): Promise<void> {
    await eventually(
      `${runId} done`,
      async () => (await runStatus(this.pool, [runId]))[0]?.state === "done",
      {
        withinMs,
      },
    );
  }

  /** Runs a spec from kickoff to done on a worker of its own. */
  async load(spec: Partial<Spec> = {}, concurrency = 2): Promise<Run> {
    const worker = await this.startWorker(concurrency);
    const run = await this.kickoff(spec);
    await this.done(run.runId);
    await this.stopWorker(worker);
    return run;
  }

  verify(runId?: string): Promise<VerifyReport> {
    return verify(this.pool, runId);
  }

  /** `YYYY-MM-01 rows digest` of each month: equal lists mean equal data. */
  async digests(): Promise<string[]> {
    const report = await this.verify();
    return report.months.map((month) => `${month.month} ${month.rows} ${month.digest}`);
  }

  /** One value of one row. */
  async value<T>(sql: string, values: unknown[] = []): Promise<T> {
    const { rows } = await this.pool.query(sql, values);
    return Object.values(rows[0] as object)[0] as T;
  }

  /** Tables that runs build their months in. */
  stagingTables(): Promise<number> {
    return this.value<number>(
      `SELECT count(*) FROM pg_class
       WHERE relnamespace = 'staging'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'txn_shape'`,
    );
  }
}
