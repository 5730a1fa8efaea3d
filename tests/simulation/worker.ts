import { Worker } from "../../etl/worker.js";
import type { Delivery, Outcome } from "../../lib/broker/delivery.js";
import { Slots } from "../../lib/broker/slots.js";
import { silentLogger } from "../../lib/observability/log.js";
import type { Settings } from "../../lib/settings/settings.js";
import type { Broker } from "./broker.js";
import { pauseWith, surroundWith } from "./fakes.js";
import type { Postgres } from "./postgres.js";
import type { Actor, Scheduler } from "./scheduler.js";

/** A worker's process. Its way with a message is the real one; starting and stopping are the simulation's. */
export class WorkerProcess {
  readonly actor: Actor;
  readonly slots: Slots;
  readonly concurrency: number;
  readonly #worker: Worker;
  readonly #postgres: Postgres;
  readonly #broker: Broker;
  readonly #scheduler: Scheduler;
  /** Takes no more messages. */
  stopping = false;

  constructor(name: string, settings: Settings, scheduler: Scheduler, postgres: Postgres, broker: Broker) {
    this.actor = { name, alive: true };
    this.concurrency = settings.WORKER_CONCURRENCY;
    this.slots = new Slots(this.concurrency);
    this.#scheduler = scheduler;
    this.#postgres = postgres;
    this.#broker = broker;
    surroundWith({ postgres, broker, actor: this.actor });
    this.#worker = new Worker(settings, silentLogger);
    pauseWith(this.#worker["stopping"].signal, () => scheduler.turn(this.actor, "pause"));
  }

  handle(delivery: Delivery): Promise<Outcome> {
    return this.#worker["handle"](delivery);
  }

  /** kill -9: whatever it was doing never goes on. */
  kill(): void {
    this.#scheduler.kill(this.actor);
    for (const connection of this.#postgres.connectionsOf(this.actor)) connection.cut();
    this.#broker.cutConsumer(this.actor);
    this.#broker.cutPublisher(this.actor);
  }

  /** SIGTERM: ends what it has in hand. */
  stop(): void {
    this.stopping = true;
    this.#worker["stopping"].abort();
  }
}
