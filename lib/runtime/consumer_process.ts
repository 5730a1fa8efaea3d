import { Consumer } from "../broker/consumer.js";
import type { Handler } from "../broker/delivery.js";
import type { Publisher } from "../broker/publisher.js";
import type { QueueFamily } from "../broker/topology.js";
import { LetterRecord } from "../dead_letters/record.js";
import type { Logger } from "../observability/log.js";
import { countSettlement } from "../observability/message_metrics.js";
import { observePool } from "../postgres/observe.js";
import { createPool, type Pool } from "../postgres/pool.js";
import { pause } from "../timing.js";
import { handleDelivery, type MessageHandler, tellDeath } from "./handle_delivery.js";
import { Lease, type LeaseStatements, type LeaseTimes } from "./lease.js";
import type { Part } from "./lifecycle.js";
import type { Runtime } from "./module.js";
import { brokerServer, postgresServer } from "./servers.js";

/** A message's work takes seconds, indexing a large month a minute; stack.sh and compose kill after 60 s. */
export const DRAIN_MS = 50_000;
/** Beside one connection per message at work: for the heartbeat, and for reading while the work holds its own. */
const SPARE_CONNECTIONS = 3;

/** What the handler works with; the module's routes may use it too. */
export interface Resources {
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly logger: Logger;
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
  const { settings, logger, messages, codeLabel, stopping, workerId } = runtime;
  const { title, queues, concurrency, lease } = options;
  // With its prefix no longer than the 63 characters of an application_name.
  const pool = createPool(settings, {
    max: concurrency + SPARE_CONNECTIONS,
    applicationName: `${title} ${workerId}`,
  });
  observePool(pool, messages, { service: title, pool: "work" });
  let consumer: Consumer | undefined;
  const postgres = postgresServer(runtime, { pool, logger });
  const broker = brokerServer(runtime, {
    title,
    logger,
    families: [queues],
    consumes: () => consumer?.isUp === true,
  });
  const { publisher } = broker;
  const breakers = { PostgreSQL: postgres.breaker, RabbitMQ: broker.breaker };
  const resources: Resources = { pool, publisher, logger, workerId };
  const handler = options.handler(resources);
  const countOutage = (code: string) => messages.outageWaits.inc({ code: codeLabel(code) });
  const ports = { logger, stopping, breakers, pause, countOutage };
  const handle: Handler = (delivery) => handleDelivery(handler, ports, delivery);
  const times = options.leaseTimes;
  const leasePart =
    lease && new Lease({ pool, workerId, logger, statements: lease, times, metrics: messages });
  const letters = new LetterRecord({ settings, role: "loader", title, logger });
  messages.slots.inc(concurrency);

  const parts: Part[] = [
    postgres.part,
    ...(leasePart === undefined ? [] : [leasePart]),
    broker.part,
    letters,
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
            countSettlement(messages, title, codeLabel, settlement);
            if (settlement.deadLettered) {
              letters.note(queues, settlement.delivery, settlement.outcome);
            }
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
