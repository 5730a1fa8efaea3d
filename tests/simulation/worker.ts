import type { AllSettings } from "../../app/settings.js";
import { etlMetrics } from "../../etl/metrics.js";
import { StepObserver } from "../../etl/observe.js";
import { chunkOf, planRun } from "../../etl/plan.js";
import { ETL_QUEUES } from "../../etl/queues.js";
import { stepHandler } from "../../etl/steps/handler.js";
import type { StepContext } from "../../etl/steps/step.js";
import type { Delivery, Outcome } from "../../lib/broker/delivery.js";
import { Slots } from "../../lib/broker/slots.js";
import { CoreError } from "../../lib/core_errors.js";
import { messageOf } from "../../lib/errors.js";
import { silentLogger } from "../../lib/observability/log.js";
import { messageMetrics } from "../../lib/observability/message_metrics.js";
import { createRegistry, register } from "../../lib/observability/registry.js";
import { harden, type Pool } from "../../lib/postgres/pool.js";
import { type DeliveryPorts, handleDelivery } from "../../lib/runtime/handle_delivery.js";
import { Breaker, type Server } from "../../lib/runtime/outage.js";
import type { Broker } from "./broker.js";
import { REJECTED_ROWS } from "./database.js";
import type { Postgres } from "./postgres.js";
import type { Actor, Scheduler } from "./scheduler.js";

/** Nobody reads what the simulated workers count; making instruments anew for each costs more than a schedule. */
const registry = createRegistry();
const observer = new StepObserver(register(registry, etlMetrics), register(registry, messageMetrics));

/** A worker's process. Its way with a message is the real one; starting, stopping and the servers are the simulation's. */
export class WorkerProcess {
  readonly actor: Actor;
  readonly slots: Slots;
  readonly concurrency: number;
  readonly handle: (delivery: Delivery) => Promise<Outcome>;
  readonly #stopping = new AbortController();
  readonly #postgres: Postgres;
  readonly #broker: Broker;
  readonly #scheduler: Scheduler;

  constructor(name: string, settings: AllSettings, scheduler: Scheduler, postgres: Postgres, broker: Broker) {
    this.actor = { name, alive: true };
    this.concurrency = settings.WORKER_CONCURRENCY;
    this.slots = new Slots(this.concurrency);
    this.#scheduler = scheduler;
    this.#postgres = postgres;
    this.#broker = broker;
    const pool = harden(postgres.pool(this.actor) as unknown as Pool, {
      explain: async (error) => new CoreError("POSTGRES_UNREACHABLE", messageOf(error)),
      stateOf: () => undefined,
    });
    const pause = () => scheduler.turn(this.actor, "pause");
    const stopping = this.#stopping.signal;
    const breaker = (server: Server, probe: () => Promise<unknown>) =>
      new Breaker({ server, probe, logger: silentLogger, stopping, pause });
    const breakers = {
      PostgreSQL: breaker("PostgreSQL", () => pool.query("SELECT 1")),
      RabbitMQ: breaker("RabbitMQ", async () => {
        if (!broker.up) {
          throw new Error("it takes no messages");
        }
      }),
    };
    const ports: DeliveryPorts = {
      logger: silentLogger,
      stopping,
      pause,
      breakers,
      countOutage: () => undefined,
    };
    const handler = stepHandler({
      pool,
      source: { stream: generate },
      worker: name,
      settings,
      observer,
      publish: (body) => broker.publish(this.actor, ETL_QUEUES.work, body),
    });
    this.handle = (delivery) => handleDelivery(handler, ports, delivery);
  }

  /** Takes no more messages. */
  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** kill -9: whatever it was doing never goes on. */
  kill(): void {
    this.#scheduler.kill(this.actor);
    for (const connection of this.#postgres.connectionsOf(this.actor)) {
      connection.cut();
    }
    this.#broker.cutConsumer(this.actor);
    this.#broker.cutPublisher(this.actor);
  }

  /** SIGTERM: ends what it has in hand. */
  stop(): void {
    this.#stopping.abort();
  }
}

/** A chunk as a buffer of which each byte stands for a row, and says which chunk it is of. */
const generate: StepContext["source"]["stream"] = async function* (spec, chunkNo, onKey) {
  const { fromRow, toRow } = chunkOf(planRun(spec), spec, chunkNo);
  const rows = toRow - fromRow;
  yield Buffer.alloc(rows, chunkNo);
  const classes = [{ class: "bad_code", outcome: "rejected", injected: REJECTED_ROWS }];
  onKey({ rows, accepted: rows - REJECTED_ROWS, digestA: 0, digestB: 0, classes });
};
