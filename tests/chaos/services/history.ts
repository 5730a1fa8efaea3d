import type { ConsumeMessage } from "amqplib";
import type { AllSettings } from "../../../app/settings.js";
import { headersOf, keptProperties } from "../../../lib/broker/properties.js";
import { EVENTS_EXCHANGE } from "../../../lib/broker/topology.js";
import { eventually } from "../../harness/eventually.js";
import { RECORD } from "../checks.js";
import { Dice } from "../schedule.js";
import { onConfirmChannel } from "./messages.js";

/** Sent before any of them is waited for. */
const WINDOW = 500;

/** From now on every event that is published is kept, for a replay. The queue outlives the broker's death. */
export async function record(settings: AllSettings): Promise<void> {
  await onConfirmChannel(settings, async (channel) => {
    await channel.assertExchange(EVENTS_EXCHANGE, "topic", { durable: true });
    await channel.assertQueue(RECORD, { durable: true, arguments: { "x-queue-type": "quorum" } });
    await channel.bindQueue(RECORD, EVENTS_EXCHANGE, "#");
  });
}

/** Ends the record and gives what was kept: at most so many events, any of them. */
export async function takeRecord(
  settings: AllSettings,
  most: number,
  seed: number,
): Promise<ConsumeMessage[]> {
  const events: ConsumeMessage[] = [];
  await onConfirmChannel(settings, async (channel) => {
    await channel.unbindQueue(RECORD, EVENTS_EXCHANGE, "#");
    const { messageCount } = await channel.checkQueue(RECORD);
    await channel.consume(RECORD, (message) => message !== null && events.push(message), { noAck: true });
    await eventually("all of the record", () => events.length >= messageCount, { withinMs: 120_000 });
    await channel.deleteQueue(RECORD);
  });
  return new Dice(seed, "replay").shuffle(events).slice(0, most);
}

/** Every event once more, as it was, to all who take it: what somebody does who reads an old backup of the broker. */
export async function replay(settings: AllSettings, events: readonly ConsumeMessage[]): Promise<void> {
  await onConfirmChannel(settings, async (channel) => {
    for (let i = 0; i < events.length; i += WINDOW) {
      for (const { content, fields, properties } of events.slice(i, i + WINDOW)) {
        channel.publish(EVENTS_EXCHANGE, fields.routingKey, content, {
          ...keptProperties(properties),
          headers: headersOf(properties),
          persistent: true,
        });
      }
      await channel.waitForConfirms();
    }
  });
}
