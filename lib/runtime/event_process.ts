import type { Publisher } from "../broker/publisher.js";
import type { QueueFamily } from "../broker/topology.js";
import { LetterRecord } from "../dead_letters/record.js";
import { BatchConsumer } from "../messaging/batch_consumer.js";
import type { BatchSize } from "../messaging/batch_intake.js";
import { type EventHandler, handleBatch } from "../messaging/handle_batch.js";
import { countSettlement } from "../observability/message_metrics.js";
import { pause } from "../timing.js";
import type { Part } from "./lifecycle.js";
import type { Runtime } from "./module.js";
import type { Breaker } from "./outage.js";
import { brokerServer } from "./servers.js";

/** What a service does with an event: it answers with an outcome for each of a batch. */
export interface Reaction<Body> extends EventHandler<Body> {
  readonly batch?: BatchSize;
}

export interface EventProcessOptions {
  /** In queues, logs and labels, e.g. `fraud-service`. */
  readonly service: string;
  readonly queues: readonly QueueFamily[];
  // biome-ignore lint/suspicious/noExplicitAny: each event has a body of its own
  readonly reactions: readonly Reaction<any>[];
  /** Of a service with tables: its events wait while this one is open. */
  readonly postgres?: Breaker;
}

export interface EventProcess {
  readonly publisher: Publisher;
  /** Starts before the consumers, and stops after them. */
  readonly publishing: Part;
  /** With the record of the letters that they make. */
  readonly consumers: readonly Part[];
}

/** What every service that takes events is made of: a publisher, and a consumer for each event. All that a service without tables needs. */
export function eventProcess(runtime: Runtime, options: EventProcessOptions): EventProcess {
  const { settings, logger, messages, codeLabel, families, workerId } = runtime;
  const { service, queues, reactions, postgres } = options;
  const broker = brokerServer(runtime, {
    title: service,
    logger,
    // All queues of the platform: the broker only says that nobody takes an event when no queue at all is bound to it.
    families,
    consumes: () => consumers.every(({ isUp }) => isUp),
  });
  const { publisher } = broker;
  // Without tables there is one server to wait for.
  const breakers = { RabbitMQ: broker.breaker, PostgreSQL: postgres ?? broker.breaker };
  const countOutage = (code: string) => messages.outageWaits.inc({ code: codeLabel(code) });
  const letters = new LetterRecord({ settings, role: "app", title: service, logger });
  const publishAll: Publisher["publishAll"] = (followers) => publisher.publishAll(followers);
  const consumers = reactions.map((reaction) => {
    const event = reaction.event.name;
    const family = queues.find((each) => each.event === event);
    if (family === undefined) {
      throw new Error(`${service} has no queue for ${event}`);
    }
    return new BatchConsumer({
      address: settings,
      name: `${service} ${workerId} (${event})`,
      logger,
      family,
      ...(reaction.batch === undefined ? {} : { batch: reaction.batch }),
      publisher,
      handle: (raw, halt, settle) =>
        handleBatch(reaction, { logger, halt, breakers, pause, countOutage, publishAll }, raw, settle),
      onFailed: (failed) => {
        countSettlement(messages, service, codeLabel, failed);
        if (failed.deadLettered) {
          letters.note(family, failed.message, failed.outcome);
        }
      },
      onBatch: ({ size, tookMs }) => {
        messages.events.inc({ service, event }, size);
        messages.eventBatchSize.observe({ service, event }, size);
        messages.eventBatchSeconds.observe({ service, event }, tookMs / 1_000);
      },
    });
  });
  return { publisher, publishing: broker.part, consumers: [letters, ...consumers] };
}
