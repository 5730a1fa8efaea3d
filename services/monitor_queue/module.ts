import { Consumer } from "../../lib/broker/consumer.js";
import { Slots } from "../../lib/broker/slots.js";
import { LetterRecord } from "../../lib/dead_letters/record.js";
import { countSettlement } from "../../lib/observability/message_metrics.js";
import { onScrape, register } from "../../lib/observability/registry.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import { defineModule } from "../../lib/runtime/module.js";
import { brokerServer } from "../../lib/runtime/servers.js";
import { bring } from "./bring.js";
import { MonitorClient } from "./client.js";
import { MonitorQueueError } from "./errors.js";
import { Holds } from "./holds.js";
import { Lifeline } from "./lifeline.js";
import { monitorQueueMetrics } from "./metrics.js";
import { REPORTS } from "./queues.js";
import { monitorQueueSettings } from "./settings.js";

const SERVICE = "monitor-queue";
/** RabbitMQ takes back after 30 minutes what was not acked; twelve tries take 18.5, and some of the waits for an outage besides. */
const HOLD_MS = 1_500_000;
/** A silent consumer loses what it holds after three heartbeats at most. */
const HEARTBEATS = 3;
const LEASE_SPARE_MS = 2_000;

/** From the queue of reports to the monitor. */
export const monitorQueue = defineModule({
  name: "monitor-queue",
  service: SERVICE,
  settings: monitorQueueSettings,
  errors: MonitorQueueError.table,
  queues: [REPORTS],
  metrics: monitorQueueMetrics,
  start: (runtime) => {
    const { settings, logger, messages, codeLabel, workerId, stopping, families, registry } = runtime;
    const metrics = register(registry, monitorQueueMetrics);
    const holder = `${SERVICE}:${workerId}`;
    const { MONITOR_QUEUE_HELD: held, MONITOR_QUEUE_CONCURRENCY: concurrency } = settings;
    const url = settings.MONITOR_QUEUE_URL || `http://127.0.0.1:${settings.HTTP_PORT}`;
    const client = new MonitorClient({
      url,
      apiKey: settings.MONITOR_QUEUE_API_KEY,
      timeoutMs: settings.MONITOR_QUEUE_TIMEOUT_MS,
      connections: concurrency + 1, // one for the lifeline
    });
    const holds = new Holds();
    const letters = new LetterRecord({ settings, role: "app", title: SERVICE, logger });
    const leaseMs = HEARTBEATS * 1_000 * settings.RABBITMQ_HEARTBEAT_S + LEASE_SPARE_MS;
    let consumer: Consumer | undefined;
    const lifeline = new Lifeline({
      ...{ holder, client, holds, logger, leaseMs, stopping },
      caughtUp: async () => {
        if (consumer?.isUp === true) {
          await consumer.caughtUp();
        }
      },
    });
    const broker = brokerServer(runtime, {
      title: SERVICE,
      logger,
      families,
      consumes: () => consumer === undefined || consumer.isUp,
    });
    const options = {
      ...{ client, holds, lifeline, metrics, logger, stopping },
      slots: new Slots(concurrency),
      tries: settings.MONITOR_QUEUE_TRIES,
      waits: {
        firstMs: settings.MONITOR_QUEUE_FIRST_WAIT_MS,
        longestMs: settings.MONITOR_QUEUE_LONGEST_WAIT_MS,
      },
    };
    const consumerOf = () =>
      new Consumer({
        address: settings,
        name: `${SERVICE} ${workerId} (consume)`,
        logger,
        connectPolicy: "forever",
        family: REPORTS,
        concurrency: held,
        publisher: broker.publisher,
        handler: (delivery) => bring(options, delivery),
        onSettled: async (settled) => {
          holds.settled(settled);
          countSettlement(messages, SERVICE, codeLabel, settled);
          if (settled.deadLettered) {
            letters.note(REPORTS, settled.delivery, settled.outcome);
          }
        },
        onTaken: (delivery) => holds.take(delivery),
        onOver: (delivery) => holds.over(delivery),
        onLinkLost: () => holds.leaveUnread(leaseMs),
        isolates: false, // One report that waits would keep all others waiting that were delivered often.
        holdMs: HOLD_MS,
      });
    onScrape(metrics.held, () => holds.size);
    onScrape(metrics.away, () => Number(lifeline.isAway));
    const consume: Part = {
      name: "consumer of reports",
      start: async () => {
        // In the background: whoever else runs in this process does not wait for the monitor.
        void lifeline
          .untilAnswers(Number.NEGATIVE_INFINITY, stopping)
          .then(async () => {
            if (!stopping.aborted) {
              // It takes reports from its making; until the monitor knows of this process it must not.
              consumer = consumerOf();
              await consumer.up();
            }
          })
          .catch((error: unknown) => logger.error({ err: error }, "reports are not taken"));
      },
      stop: async () => {
        holds.leaveUnread(Number.POSITIVE_INFINITY); // What comes before the broker knows that we end is not taken.
        await consumer?.stop();
      },
    };
    const calls: Part = { name: "client of the monitor", stop: async () => client.close() };
    return { parts: [calls, lifeline, broker.part, letters, consume] };
  },
});
