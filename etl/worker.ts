import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { Consumer } from "../lib/broker/consumer.js";
import type { Delivery, Outcome } from "../lib/broker/delivery.js";
import { Publisher } from "../lib/broker/publisher.js";
import { ETL_QUEUES } from "../lib/broker/topology.js";
import { adviceOf, codeOf } from "../lib/errors.js";
import type { Logger } from "../lib/observability/log.js";
import { codeLabel, Metrics } from "../lib/observability/metrics.js";
import { type Server, serverAway } from "../lib/outage.js";
import { createPool, type Pool } from "../lib/postgres/pool.js";
import { waitForSchema } from "../lib/postgres/schema_guard.js";
import { verdictOf } from "../lib/retry.js";
import { Lease, type LeaseTimes } from "../lib/runtime/lease.js";
import type { Dependencies } from "../lib/runtime/ops_server.js";
import { Breaker } from "../lib/runtime/outage.js";
import type { Settings } from "../lib/settings/settings.js";
import { fullJitterMs, pause, within } from "../lib/timing.js";
import { ChunkSource } from "./generate/source.js";
import { formatMessage, type Message, type OutMessage, parseMessage } from "./message.js";
import { aboutOf, observeHandler, observeStep } from "./observe.js";
import { type Origin, originOf, requireOurs } from "./origin.js";
import { defaultSpec } from "./runs/default_spec.js";
import { aggStep } from "./steps/agg.js";
import { beginStep } from "./steps/begin.js";
import { cleanStep } from "./steps/clean.js";
import { planStep } from "./steps/plan_run.js";
import { stageStep } from "./steps/stage.js";
import type { Next, StepContext } from "./steps/step.js";

/** When PostgreSQL answers and a step still cannot go on (the broker is away, the disk is full), it is tried again. */
const OUTAGE_BACKOFF = { baseMs: 250, capMs: 10_000 };
/** A step takes seconds, indexing a large month a minute; stack.sh and compose kill after 60 s. */
const DRAIN_MS = 50_000;
/** Beside one connection per step: for the heartbeat, and for reading the ledger while a step holds its own. */
const SPARE_CONNECTIONS = 3;
/** Whoever asks whether we are ready will not wait long. */
const READY_MS = 2_000;

export interface WorkerOptions {
  /** Shorter ones are for tests. */
  readonly lease?: LeaseTimes;
  readonly holdMs?: number;
  /** Called at each named point of a step, see steps/step.ts. */
  readonly reached?: StepContext["reached"];
  /** The process's own, where it serves them. */
  readonly metrics?: Metrics;
}

/** Takes messages from the work queue and runs their steps, until told to stop. */
export class Worker {
  private readonly settings: Settings;
  private readonly logger: Logger;
  private readonly pool: Pool;
  private readonly source = new ChunkSource();
  private readonly publisher: Publisher;
  private readonly context: StepContext;
  private readonly stopping = new AbortController();
  private readonly lease: Lease;
  private readonly breakers: Readonly<Record<Server, Breaker>>;
  private readonly holdMs: number | undefined;
  private readonly metrics: Metrics;
  private consumer: Consumer | undefined;

  constructor(settings: Settings, logger: Logger, options: WorkerOptions = {}) {
    // Distinct for every start, and with its prefix no longer than the 63 characters of an application_name.
    const worker = `${hostname().slice(0, 24)}:${process.pid}:${randomBytes(4).toString("hex")}`;
    this.settings = settings;
    this.logger = logger;
    this.metrics = options.metrics ?? new Metrics();
    const max = settings.WORKER_CONCURRENCY + SPARE_CONNECTIONS;
    this.pool = createPool(settings, { max, applicationName: `payments-worker ${worker}` });
    this.publisher = new Publisher({
      address: settings,
      name: `payments-worker ${worker} (publish)`,
      logger,
      patience: "forever",
      families: [ETL_QUEUES],
      observe: (queue, result, ms) => {
        this.metrics.publishes.inc({ queue, result });
        if (result === "confirmed") this.metrics.confirmSeconds.observe(ms / 1_000);
      },
    });
    this.context = { pool: this.pool, source: this.source, logger, worker, reached: options.reached };
    const breaker = (server: Server, probe: () => Promise<unknown>) =>
      new Breaker(server, probe, logger, this.stopping.signal);
    this.breakers = {
      PostgreSQL: breaker("PostgreSQL", () => this.pool.query("SELECT 1")),
      RabbitMQ: breaker("RabbitMQ", async () => {
        if (!this.publisher.isWritable) throw new Error("it takes no messages");
      }),
    };
    this.holdMs = options.holdMs;
    this.lease = new Lease(this.pool, worker, logger, options.lease, this.metrics);
    this.metrics.slots.set(settings.WORKER_CONCURRENCY);
    Metrics.onScrape(this.metrics.breakerOpen, () => Number(this.breakers.PostgreSQL.open));
    Metrics.onScrape(this.metrics.brokerUp, () => Number(this.brokerUp));
  }

  /**
   * Resolves when messages are being taken. Waits for servers that are not there yet.
   *
   * @throws PlatformError SCHEMA_*, POSTGRES_AUTH or RABBITMQ_AUTH: what waiting does not mend.
   */
  async start(): Promise<void> {
    await waitForSchema(this.pool, this.logger, this.stopping.signal);
    if (this.stopping.signal.aborted) return;
    await this.lease.start();
    await this.publisher.up();
    this.consumer = new Consumer({
      address: this.settings,
      name: `payments-worker ${this.context.worker} (consume)`,
      logger: this.logger,
      patience: "forever",
      family: ETL_QUEUES,
      concurrency: this.settings.WORKER_CONCURRENCY,
      publisher: this.publisher,
      handler: observeHandler(this.metrics, (delivery) => this.handle(delivery)),
      ...(this.holdMs === undefined ? {} : { holdMs: this.holdMs }),
    });
    await this.consumer.up();
    this.logger.info({ concurrency: this.settings.WORKER_CONCURRENCY }, "worker ready");
  }

  /** What it needs to take work. Asks PostgreSQL; of the broker it knows. */
  async dependencies(): Promise<Dependencies> {
    const asked = this.pool.query({ text: "SELECT 1", query_timeout: READY_MS } as { text: string });
    const postgres = await within(READY_MS, asked, () => new Error("no answer")).then(
      () => true,
      () => false,
    );
    const state = (up: boolean) => (up ? "up" : "down");
    return { postgres: state(postgres), rabbitmq: state(this.brokerUp) };
  }

  private get brokerUp(): boolean {
    return this.publisher.isUp && this.consumer?.isUp === true;
  }

  /** Takes no more messages, lets the steps under way finish and their messages be acked, then closes everything. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.consumer?.stop(DRAIN_MS);
    await this.publisher.close();
    await this.lease.stop();
    await this.source.close();
    await this.pool.end();
  }

  private async handle(delivery: Delivery): Promise<Outcome> {
    let { logger } = this;
    let about = {};
    const { overdue, lost } = delivery;
    let next: Next | undefined;
    let origin: Origin | undefined;
    let sent = 0;
    for (let attempt = 0; ; attempt++) {
      try {
        const message = parseMessage(delivery.body);
        const step = observeStep(this.metrics, this.context, message);
        logger = step.context.logger;
        about = aboutOf(message);
        if (next === undefined) {
          if (this.breakers.PostgreSQL.open) await this.breakers.PostgreSQL.recovered(overdue);
          // A step is run again from its start after an outage; the ledger tells it how far it got. A bare `stage` has no run
          // in the ledger to go by: it must be told that an earlier try may have entered one.
          const again = attempt > 0 || delivery.redelivered || delivery.attempt > 1;
          origin =
            message.kind === "begin"
              ? undefined
              : await requireOurs(this.pool, message.run, delivery.headers);
          next = await this.run(step.context, message, again);
          step.committed();
          await this.context.reached?.(`${message.kind}: committed`);
        }
        for (; sent < next.length; sent++) {
          const follower = next[sent] as OutMessage;
          const headers = origin ?? (await originOf(this.pool, follower.run));
          await this.publisher.publish(ETL_QUEUES.work, formatMessage(follower), { headers });
        }
        await this.context.reached?.(`${message.kind}: published`);
        return { kind: "done" };
      } catch (error) {
        const code = codeOf(error) ?? "INTERNAL";
        const reason = adviceOf(error);
        const verdict = verdictOf(error);
        if (verdict !== "outage") {
          logger.error({ code, verdict, messageId: delivery.messageId, ...about, err: error }, reason);
          return { kind: verdict, code, reason };
        }
        // Patience has no end, but the broker's with a message in hand has.
        if (this.stopping.signal.aborted || overdue.aborted || lost.aborted) return { kind: "release" };
        const server = serverAway(code);
        logger.warn({ code, server, ...about }, `waiting for ${server}: ${reason}`);
        this.metrics.outageWaits.inc({ code: codeLabel(code) });
        await this.breakers[server].recovered(overdue);
        await pause(fullJitterMs(attempt, OUTAGE_BACKOFF), this.stopping.signal);
      }
    }
  }

  private run(context: StepContext, message: Message, again: boolean): Promise<Next> {
    switch (message.kind) {
      case "begin":
        return beginStep(context, defaultSpec(this.settings), this.settings.STAGE_WINDOW, again);
      case "plan":
        return planStep(context, message.run);
      case "stage":
        return stageStep(context, message.run, message.chunk);
      case "clean":
        return cleanStep(context, message.run, message.chunk);
      case "agg":
        return aggStep(context, message.run, message.month);
    }
  }
}
