import type { Channel, ConsumeMessage } from "amqplib";
import { BrokerConnection, type ConnectionTarget } from "../broker/connection.js";
import type { Link } from "../broker/link.js";
import { consumerQueue, EVENTS_EXCHANGE } from "../broker/topology.js";
import type { Dependencies, Part } from "../runtime/lifecycle.js";
import { EVENT_HEADER } from "./event.js";

/** What waits for an observer that is slow: some 60 MB in the broker. Then the oldest events are dropped, and money goes on. */
const MOST_WAITING = 100_000;

export interface ObserverOptions extends Omit<ConnectionTarget, "connectPolicy" | "name"> {
  /** In names of queues, e.g. `metrics-service`. */
  readonly service: string;
  /** Distinct for every process. */
  readonly instance: string;
  /** Names of events. */
  readonly events: readonly string[];
  /** Told of each event that happens; of what is only said once more it is not. Must not throw. */
  readonly onEvent: (event: string, body: Buffer) => void;
}

/**
 * Sees events and decides nothing. Its queues are its own and go with its connection: what happens meanwhile, it misses. They
 * are in the broker's memory and take no acks, which costs a quarter of what a quorum queue does.
 */
export class Observer implements Part {
  readonly name: string;
  readonly #options: ObserverOptions;
  #connection: BrokerConnection<Channel> | undefined;
  #links = 0;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.name = `observer of ${options.service}`;
  }

  /** Resolves when observing. @throws PlatformError RABBITMQ_AUTH */
  async start(): Promise<void> {
    const { service, instance } = this.#options;
    this.#connection = new BrokerConnection({
      ...this.#options,
      name: `${service} ${instance} (observe)`,
      connectPolicy: "forever",
      setUp: (link) => this.#observe(link),
    });
    await this.#connection.up();
  }

  async stop(): Promise<void> {
    await this.#connection?.close();
  }

  get isUp(): boolean {
    return this.#connection?.isUp === true;
  }

  async dependencies(): Promise<Dependencies> {
    return { rabbitmq: this.isUp ? "up" : "down" };
  }

  async #observe(link: Link): Promise<Channel> {
    const { service, instance, events } = this.#options;
    const channel = await link.openChannel();
    await channel.assertExchange(EVENTS_EXCHANGE, "topic", { durable: true });
    // Until the broker has given up a lost connection, its queues are there and nobody else's.
    this.#links += 1;
    for (const event of events) {
      const queue = `${consumerQueue(service, event)}.${instance}.${this.#links}`;
      await channel.assertQueue(queue, {
        durable: false,
        exclusive: true,
        autoDelete: true,
        arguments: { "x-queue-type": "classic", "x-max-length": MOST_WAITING, "x-overflow": "drop-head" },
      });
      await channel.bindQueue(queue, EVENTS_EXCHANGE, event);
      await channel.consume(queue, (message) => this.#take(link, message), { noAck: true });
    }
    return channel;
  }

  #take(link: Link, message: ConsumeMessage | null): void {
    if (message === null) {
      link.drop(new Error("the broker cancelled an observer"));
    } else if (message.properties.headers?.[EVENT_HEADER.repeat] !== true) {
      this.#options.onEvent(message.properties.type, message.content);
    }
  }
}
