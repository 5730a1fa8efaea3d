import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { Consumer } from "../broker/consumer.js";
import type { Handler } from "../broker/delivery.js";
import { Publisher } from "../broker/publisher.js";
import type { QueueFamily } from "../broker/topology.js";
import type { Logger } from "../observability/log.js";
import { countSettlement } from "../observability/message_metrics.js";
import { onScrape } from "../observability/registry.js";
import { requireSchema } from "../postgres/history.js";
import { createPool, type Pool } from "../postgres/pool.js";
import { untilDone } from "../retry.js";
import { pause, within } from "../timing.js";
import { handleDelivery, type MessageHandler, tellDeath } from "./handle_delivery.js";
import { Lease, type LeaseStatements, type LeaseTimes } from "./lease.js";
import type { Dependencies, Part } from "./lifecycle.js";
import type { Runtime } from "./module.js";
import { Breaker, type Server } from "./outage.js";

/** A message's work takes seconds, indexing a large month a minute; stack.sh and compose kill after 60 s. */
const DRAIN_MS = 50_000;
/** Beside one connection per message at work: for the heartbeat, and for reading while the work holds its own. */
const SPARE_CONNECTIONS = 3;
/** Whoever asks whether we are ready will not wait long. */
const READY_MS = 2_000;

/** What the handler works with; the module's routes may use it too. */
export interface Resources {
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly logger: Logger;
  /** Distinct for every start, no longer than 46 characters. */
  readonly workerId: string;
}

export interface ConsumerProcessOptions<Message, Follower> {
  /** In names of connections, e.g. `payments-worker`. */
  readonly title: string;
  readonly queues: QueueFamily;
  readonly concurrency: number;
  /** Where its workers beat, so that one that was frozen cannot commit late. Without one, only the statements' timeouts end it. */
  readonly lease?: LeaseStatements;
  /** Shorter ones are for tests. */
  readonly leaseTimes?: LeaseTimes | undefined;
  readonly holdMs?: number | undefined;
  readonly handler: (resources: Resources) => MessageHandler<Message, Follower>;
  /** Sees each delivery before and after its handling. */
  readonly observe?: (handler: Handler) => Handler;
}

export interface ConsumerProcess extends Resources {
  readonly parts: readonly Part[];
}

/** Consumes one queue family with a pool and a publisher of its own. */
export function consumerProcess<Message, Follower>(
  runtime: Runtime,
  options: ConsumerProcessOptions<Message, Follower>,
): ConsumerProcess {
  const { settings, logger, messages, codeLabel, stopping, modules } = runtime;
  const { title, queues, concurrency, lease } = options;
  const workerId = `${hostname().slice(0, 24)}:${process.pid}:${randomBytes(4).toString("hex")}`;
  // With its prefix no longer than the 63 characters of an application_name.
  const pool = createPool(settings, {
    max: concurrency + SPARE_CONNECTIONS,
    applicationName: `${title} ${workerId}`,
  });
  const publisher = new Publisher({
    address: settings,
    name: `${title} ${workerId} (publish)`,
    logger,
    connectPolicy: "forever",
    families: [queues],
    observe: (queue, result, ms) => {
      messages.publishes.inc({ queue, result });
      if (result === "confirmed") {
        messages.confirmSeconds.observe(ms / 1_000);
      }
    },
  });
  const breaker = (server: Server, probe: () => Promise<unknown>) =>
    new Breaker({ server, probe, logger, stopping });
  const breakers = {
    PostgreSQL: breaker("PostgreSQL", () => pool.query("SELECT 1")),
    RabbitMQ: breaker("RabbitMQ", async () => {
      if (!publisher.isWritable) {
        throw new Error("it takes no messages");
      }
    }),
  };
  const resources: Resources = { pool, publisher, logger, workerId };
  const handler = options.handler(resources);
  const countOutage = (code: string) => messages.outageWaits.inc({ code: codeLabel(code) });
  const ports = { logger, stopping, breakers, pause, countOutage };
  const handle: Handler = (delivery) => handleDelivery(handler, ports, delivery);
  const times = options.leaseTimes;
  const leasePart =
    lease && new Lease({ pool, workerId, logger, statements: lease, times, metrics: messages });
  let consumer: Consumer | undefined;
  const brokerUp = () => publisher.isUp && consumer?.isUp === true;

  messages.slots.inc(concurrency);
  onScrape(messages.breakerOpen, () => Number(breakers.PostgreSQL.open));
  onScrape(messages.brokerUp, () => Number(brokerUp()), Math.min);

  const parts: Part[] = [
    {
      name: "postgres",
      start: () => untilDone("PostgreSQL", () => requireSchema(pool, modules), { logger, signal: stopping }),
      stop: () => pool.end(),
      dependencies: () => postgresState(pool),
    },
    ...(leasePart === undefined ? [] : [leasePart]),
    {
      name: "publisher",
      start: async () => publisher.up(),
      stop: () => publisher.close(),
      dependencies: async () => ({ rabbitmq: brokerUp() ? "up" : "down" }),
    },
    {
      name: "consumer",
      start: async () => {
        consumer = new Consumer({
          address: settings,
          name: `${title} ${workerId} (consume)`,
          logger,
          connectPolicy: "forever",
          family: queues,
          concurrency,
          publisher,
          handler: options.observe?.(handle) ?? handle,
          onSettled: async (settlement) => {
            countSettlement(messages, codeLabel, settlement);
            await tellDeath(handler, settlement);
          },
          holdMs: options.holdMs,
        });
        await consumer.up();
        logger.info({ concurrency }, "worker ready");
      },
      stop: async () => consumer?.stop(DRAIN_MS),
    },
  ];
  return { ...resources, parts };
}

/** Whether the database answers. */
export async function postgresState(pool: Pool): Promise<Dependencies> {
  const asked = pool.query({ text: "SELECT 1", query_timeout: READY_MS } as { text: string });
  try {
    await within(READY_MS, asked, () => new Error("no answer"));
    return { postgres: "up" };
  } catch {
    return { postgres: "down" };
  }
}
