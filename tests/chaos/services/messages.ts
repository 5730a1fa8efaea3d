import { setTimeout as sleep } from "node:timers/promises";
import { type ConfirmChannel, type ConsumeMessage, connect } from "amqplib";
import type { AllSettings } from "../../../app/settings.js";
import { headersOf, keptProperties, type MessageProperties } from "../../../lib/broker/properties.js";
import { EVENTS_EXCHANGE, type QueueFamily } from "../../../lib/broker/topology.js";
import { Dice, type MessageFault, type MessageKind } from "../schedule.js";

/** So many events are gathered and shuffled, unless fewer come in so long. */
const SHUFFLED = 20;
const SHUFFLED_WITHIN_MS = 500;
const AGAIN_MS = 200;
const CLOSE_TIMEOUT_MS = 5_000;

/** What is done with an event; `pass` gives it to its queue, and may be called any number of times, at any time. */
type Treatment = (pass: () => Promise<void>) => Promise<unknown>;

/**
 * Stands between the exchange and a queue for as long as a fault lasts: a queue of its own is bound in the other's place, and what
 * comes there is passed on twice, in disorder, late or not at all. An event is acked when that is done, so the broker's own death
 * loses none.
 */
export class Messages {
  readonly #settings: () => AllSettings;
  readonly #families: readonly QueueFamily[];
  readonly #lateMs: number;
  readonly #dice: Dice;
  /** Queues that were deleted with what was in them, and when. */
  readonly deleted: { readonly queue: string; readonly atMs: number }[] = [];
  /** Events that were treated. */
  readonly treated = new Map<MessageKind, number>();

  /** @param lateMs longer than a sender waits before it repeats itself */
  constructor(options: {
    readonly settings: () => AllSettings;
    readonly families: readonly QueueFamily[];
    readonly lateMs: number;
    readonly seed: number;
  }) {
    this.#settings = options.settings;
    this.#families = options.families;
    this.#lateMs = options.lateMs;
    this.#dice = new Dice(options.seed, "disorder");
  }

  /** Resolves when the fault is over. @returns whether it met an event, or a queue. */
  async disturb({ kind, queue, forMs }: MessageFault): Promise<boolean> {
    const family = this.#families.find(({ work }) => work === queue);
    if (family?.event === undefined) {
      throw new Error(`no events come into ${queue}`);
    }
    if (kind === "queue.delete") {
      await this.#persistently((channel) => channel.deleteQueue(queue));
      this.deleted.push({ queue, atMs: Date.now() });
      return true;
    }
    const { event } = family;
    const before = this.treated.get(kind) ?? 0;
    const between = `chaos.${queue}`;
    await this.#persistently(async (channel) => {
      // Classic: a quorum queue that was made just before the broker is killed may come back without a leader (RabbitMQ 3.10,
      // "leader not known"), and then nothing that is routed to it is confirmed any more.
      await channel.assertQueue(between, { durable: true });
      await channel.bindQueue(between, EVENTS_EXCHANGE, event);
      await channel.unbindQueue(queue, EVENTS_EXCHANGE, event);
    });
    const until = Date.now() + forMs;
    await this.#persistently((channel) => this.#treat(channel, { between, queue, kind, until }));
    await this.#persistently(async (channel) => {
      await channel.bindQueue(queue, EVENTS_EXCHANGE, event);
      await channel.unbindQueue(between, EVENTS_EXCHANGE, event);
    });
    // What came in the meantime just goes on.
    await this.#persistently((channel) =>
      this.#treat(channel, { between, queue, kind: undefined, until: 0 }),
    );
    await this.#persistently((channel) => channel.deleteQueue(between));
    return (this.treated.get(kind) ?? 0) > before;
  }

  /** Until the time is over, and what was taken until then is settled. */
  async #treat(
    channel: ConfirmChannel,
    options: { between: string; queue: string; kind: MessageKind | undefined; until: number },
  ): Promise<void> {
    const { between, queue, kind, until } = options;
    const treatment = this.#treatment(kind);
    const open = new Set<Promise<void>>();
    let broken: unknown;
    const onMessage = (message: ConsumeMessage | null) => {
      if (message === null) {
        return;
      }
      if (kind !== undefined) {
        this.treated.set(kind, (this.treated.get(kind) ?? 0) + 1);
      }
      const done = treatment(() => passOn(channel, queue, message))
        .then(() => channel.ack(message))
        .catch((error: unknown) => {
          broken = error;
        })
        .finally(() => open.delete(done));
      open.add(done);
    };
    const { consumerTag } = await channel.consume(between, onMessage);
    await sleep(Math.max(0, until - Date.now()));
    if (kind === undefined) {
      await empty(channel, between);
    }
    await channel.cancel(consumerTag);
    await Promise.all(open);
    if (broken !== undefined) {
      throw broken;
    }
  }

  #treatment(kind: MessageKind | undefined): Treatment {
    switch (kind) {
      case "message.duplicate":
        return async (pass) => {
          await pass();
          await sleep(this.#dice.between(0, 1_000));
          await pass();
        };
      case "message.late":
        return async (pass) => {
          await sleep(this.#lateMs);
          await pass();
        };
      case "message.drop":
        return async () => undefined;
      case "message.reorder":
        return this.#shuffling();
      default:
        return (pass) => pass();
    }
  }

  #shuffling(): Treatment {
    let gathered: (() => void)[] = [];
    const letGo = () => {
      const shuffled = this.#dice.shuffle(gathered);
      gathered = [];
      for (const go of shuffled) {
        go();
      }
    };
    return async (pass) => {
      await new Promise<void>((resolve) => {
        gathered.push(resolve);
        if (gathered.length >= SHUFFLED) {
          letGo();
        } else if (gathered.length === 1) {
          setTimeout(letGo, SHUFFLED_WITHIN_MS);
        }
      });
      await pass();
    };
  }

  /** Again and again until it succeeds: the broker may be down. */
  async #persistently(work: (channel: ConfirmChannel) => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await onConfirmChannel(this.#settings(), work);
        return;
      } catch {
        await sleep(AGAIN_MS);
      }
    }
  }
}

/** Runs `work` on a channel with confirms, straight on the broker; it fails when the connection does. */
export async function onConfirmChannel<T>(
  settings: AllSettings,
  work: (channel: ConfirmChannel) => Promise<T>,
): Promise<T> {
  const connection = await connect({
    hostname: settings.RABBITMQ_HOST,
    port: settings.RABBITMQ_PORT,
    username: settings.RABBITMQ_USER,
    password: settings.RABBITMQ_PASSWORD,
    vhost: settings.RABBITMQ_VHOST,
  });
  const lost = new Promise<never>((_, reject) => {
    connection.on("error", reject);
    connection.on("close", () => reject(new Error("the connection is closed")));
  });
  lost.catch(() => undefined);
  try {
    const channel = await connection.createConfirmChannel();
    channel.on("error", () => undefined);
    return await Promise.race([work(channel), lost]);
  } finally {
    // amqplib's close() never resolves when the broker dies before it has answered.
    await Promise.race([connection.close().catch(() => undefined), sleep(CLOSE_TIMEOUT_MS)]);
  }
}

/** As the broker would have routed it: the same message, in its queue. */
function passOn(
  channel: ConfirmChannel,
  queue: string,
  { content, properties }: ConsumeMessage,
): Promise<void> {
  return send(channel, queue, content, { ...keptProperties(properties), headers: headersOf(properties) });
}

export function send(
  channel: ConfirmChannel,
  queue: string,
  body: Buffer,
  properties: MessageProperties,
): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.sendToQueue(queue, body, { ...properties, persistent: true }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

async function empty(channel: ConfirmChannel, queue: string): Promise<void> {
  while ((await channel.checkQueue(queue)).messageCount > 0) {
    await sleep(AGAIN_MS);
  }
}
