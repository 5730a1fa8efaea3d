import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { Publisher } from "../broker/publisher.js";
import { Slots } from "../broker/slots.js";
import type { QueueFamily } from "../broker/topology.js";
import { purgeIdempotency } from "../http/idempotency.js";
import { BatchConsumer, type BatchSize } from "../messaging/batch_consumer.js";
import type { EventContract, ReceivedEvent } from "../messaging/event.js";
import { type EventOutcome, handleBatch } from "../messaging/handle_batch.js";
import { Outbox } from "../messaging/outbox.js";
import type { Logger } from "../observability/log.js";
import { countSettlement } from "../observability/message_metrics.js";
import { onScrape } from "../observability/registry.js";
import { requireSchema } from "../postgres/history.js";
import { type Pool, type Queryable, transaction } from "../postgres/pool.js";
import { createServicePool } from "../postgres/service_pool.js";
import { untilDone } from "../retry.js";
import { pause } from "../timing.js";
import { postgresState } from "./consumer_process.js";
import { type Chore, housekeeping } from "./housekeeping.js";
import type { Part } from "./lifecycle.js";
import type { Runtime } from "./module.js";
import { Breaker } from "./outage.js";

/** What a service does with an event. */
export interface EventReaction<Body> {
  readonly event: EventContract<Body>;
  readonly batch?: BatchSize;
  /** Works in the transaction that it is given; resolves with an outcome for each event, in their order. */
  readonly handle: (
    tx: Queryable,
    events: readonly ReceivedEvent<Body>[],
  ) => Promise<readonly EventOutcome[]>;
}

export interface ServiceOptions {
  /** In queues, logs and labels, e.g. `wallet-service`. */
  readonly service: string;
  /** Of its tables; its role is `payments_<schema>`. */
  readonly schema: string;
  readonly queues: readonly QueueFamily[];
  /** Connections to PostgreSQL for HTTP; there is one more for each event that it takes, and one to see how it is. */
  readonly connections: number;
  // biome-ignore lint/suspicious/noExplicitAny: each event has a body of its own
  readonly reactions: readonly EventReaction<any>[];
  /** Partitioned tables, whose months ahead are made at the start and once a day. */
  readonly partitioned?: readonly string[];
}

export interface Service {
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly outbox: Outbox;
  readonly logger: Logger;
  /** In the order of their start. */
  readonly parts: readonly Part[];
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** This month and two more: a service that is not started for two months finds a place for its rows, and DEFAULT takes the rest. */
const MONTHS_AHEAD = 3;

const monthsAhead = (pool: Pool, table: string): Chore => ({
  name: `months of ${table}`,
  everyMs: DAY_MS,
  first: true,
  run: () => pool.query("SELECT ops.add_months($1::regclass, $2)", [table, MONTHS_AHEAD]),
});

const KEYS_A_BATCH = 1_000;
const oldKeys = (pool: Pool, schema: string): Chore => ({
  name: "idempotency keys",
  everyMs: HOUR_MS,
  run: async () => {
    while ((await purgeIdempotency(pool, { schema, batch: KEYS_A_BATCH })) === KEYS_A_BATCH) {
      // More are as old.
    }
  },
});

/** What every service is made of: a pool as its own role, a publisher, an outbox with its sweeper, a consumer for each event. */
export function serviceProcess(runtime: Runtime, options: ServiceOptions): Service {
  const { settings, messages, codeLabel, stopping, modules, families } = runtime;
  const { service, schema, queues, connections, reactions, partitioned = [] } = options;
  const logger = runtime.logger.child({ service });
  const id = `${service} ${hostname().slice(0, 24)}:${process.pid}:${randomBytes(4).toString("hex")}`;
  const poolOf = (max: number) =>
    createServicePool(settings, {
      role: `payments_${schema}`,
      schema,
      max,
      applicationName: id.slice(0, 63),
    });
  // Apart, so that a crowd of requests keeps neither events nor the question whether we are ready waiting.
  const pool = poolOf(connections);
  const eventPool = poolOf(reactions.length + 1);
  const publisher = new Publisher({
    address: settings,
    name: `${id} (publish)`,
    logger,
    connectPolicy: "forever",
    // All queues of the platform: the broker only says that nobody takes an event when no queue at all is bound to it.
    families,
    observe: (to, result, ms) => {
      messages.publishes.inc({ queue: to, result });
      messages.confirmSeconds.observe(ms / 1_000);
    },
  });
  const outbox = new Outbox({ schema, pool, publisher, logger });
  const breakers = {
    PostgreSQL: new Breaker({
      server: "PostgreSQL",
      probe: () => eventPool.query("SELECT 1"),
      logger,
      stopping,
    }),
    RabbitMQ: new Breaker({
      server: "RabbitMQ",
      probe: async () => {
        if (!publisher.isWritable) {
          throw new Error("it takes no messages");
        }
      },
      logger,
      stopping,
    }),
  };
  const publishAll = (followers: Parameters<Publisher["publishAll"]>[0]) => publisher.publishAll(followers);
  const countOutage = (code: string) => messages.outageWaits.inc({ code: codeLabel(code) });
  const consumers = reactions.map(({ event, batch, handle }) => {
    const family = queues.find((each) => each.event === event.name);
    if (family === undefined) {
      throw new Error(`${service} has no queue for ${event.name}`);
    }
    // Two batches at once would only meet at the same rows; one is there while the other's followers are confirmed.
    const database = new Slots(1);
    const handler = {
      event,
      handle: (events: readonly ReceivedEvent<unknown>[]) =>
        database.run(() => transaction(eventPool, (tx) => handle(tx, events))),
    };
    return new BatchConsumer({
      address: settings,
      name: `${id} (${event.name})`,
      logger,
      family,
      ...(batch === undefined ? {} : { batch }),
      publisher,
      handle: (raw, halt) =>
        handleBatch(handler, { logger, halt, breakers, pause, countOutage, publishAll }, raw),
      onFailed: (failed) => countSettlement(messages, codeLabel, failed),
      onBatch: ({ size, tookMs }) => {
        messages.events.inc({ service, event: event.name }, size);
        messages.eventBatchSeconds.observe({ service, event: event.name }, tookMs / 1_000);
      },
    });
  });
  const brokerUp = () => publisher.isUp && consumers.every(({ isUp }) => isUp);
  onScrape(messages.breakerOpen, () => Number(breakers.PostgreSQL.open));
  onScrape(messages.brokerUp, () => Number(brokerUp()), Math.min);

  const parts: Part[] = [
    {
      name: "postgres",
      start: () =>
        untilDone("PostgreSQL", () => requireSchema(eventPool, modules), { logger, signal: stopping }),
      stop: async () => {
        await pool.end();
        await eventPool.end();
      },
      dependencies: () => postgresState(eventPool),
    },
    housekeeping(
      [
        ...partitioned.map((table) => monthsAhead(eventPool, `${schema}.${table}`)),
        oldKeys(eventPool, schema),
      ],
      logger,
    ),
    {
      name: "publisher",
      start: async () => publisher.up(),
      stop: () => publisher.close(),
      dependencies: async () => ({ rabbitmq: brokerUp() ? "up" : "down" }),
    },
    outbox,
    ...consumers,
  ];
  return { pool, publisher, outbox, logger, parts };
}
