import type { Channel } from "amqplib";

/**
 * How the queues of the platform are made; which there are, the modules' manifests say. A queue's arguments stand here and
 * nowhere else, because a queue declared twice with different arguments is a PRECONDITION_FAILED for whoever comes second.
 * Valid on RabbitMQ 3.10 and 4.x: all queues are durable quorum queues, the only kind both take that survives a broker's death.
 *
 * A family is a work queue, the retry ladder beside it and the dead-letter queue below it. All of it hangs on the default
 * exchange, so a queue's name is its routing key and there is no binding to forget; services take events from a topic exchange
 * besides.
 */
export interface QueueFamily {
  readonly work: string;
  /** Event of the exchange that is routed into the work queue; without one the queue is addressed by its name alone. */
  readonly event?: string;
  /** Families of one service share theirs, and the rungs of their ladders. */
  readonly deadLetter: string;
  /** By attempt: a message that failed its n-th attempt waits in rung n − 1. */
  readonly ladder: readonly Rung[];
  readonly deliveryLimit: number;
}

interface Rung {
  readonly queue: string;
  readonly delayMs: number;
  /** A rung that several families share: a message enters by its exchange, with the name of its work queue as routing key. */
  readonly shared?: true;
}

/** Where a message is sent. A plain text is the name of a queue. */
export type Destination = string | { readonly exchange: string; readonly routingKey: string };

/** All events of the services; the routing key is the event's name. */
export const EVENTS_EXCHANGE = "payments.events";

/** Doubling up to 64 s: seven attempts within about two minutes, then a person has to look. Outages don't count. */
const LADDER_MS = [2_000, 4_000, 8_000, 16_000, 32_000, 64_000] as const;

/** A payment is waited for: four attempts within 14 s. */
const SERVICE_LADDER_MS = [2_000, 4_000, 8_000] as const;

/**
 * Returns to the queue before the broker dead-letters a message by itself: for poison that kills its worker before that
 * can say anything. 20 is what RabbitMQ 4.x takes by default and 3.10 does not (unlimited): named here, both behave alike.
 * Not lower, because a crash costs every message the worker held one delivery, and the innocent ones need the room to
 * get done in between (see isolation.ts).
 */
const DELIVERY_LIMIT = 20;

/**
 * For dead letters practically none: looking at them returns them, and what goes over a limit here is deleted, as there is no
 * queue below. Named, because RabbitMQ 4.x takes 20 by default; on 3.10 -1 would mean something else.
 */
const DEAD_LETTER_LIMIT = 1_000_000_000;

export function queueFamily(
  name: string,
  options: { ladderMs?: readonly number[]; deliveryLimit?: number; deadLetter?: string } = {},
): QueueFamily {
  return {
    work: name,
    deadLetter: options.deadLetter ?? `${name}.dlq`,
    ladder: (options.ladderMs ?? LADDER_MS).map((delayMs) => ({
      queue: `${name}.retry.${delayMs % 1_000 === 0 ? `${delayMs / 1_000}s` : `${delayMs}ms`}`,
      delayMs,
    })),
    deliveryLimit: options.deliveryLimit ?? DELIVERY_LIMIT,
  };
}

/** A service's queues: one for each event that it takes, three rungs and the dead letters in common. */
export function serviceQueues(
  module: string,
  options: {
    readonly service: string;
    readonly events: readonly string[];
    readonly ladderMs?: readonly number[];
  },
): QueueFamily[] {
  const { service, events, ladderMs = SERVICE_LADDER_MS } = options;
  const { deadLetter, ladder, deliveryLimit } = queueFamily(module, { ladderMs });
  return events.map((event) => ({
    work: consumerQueue(service, event),
    event,
    deadLetter,
    ladder: ladder.map((rung) => ({ ...rung, shared: true })),
    deliveryLimit,
  }));
}

/** The queue in which an event waits for a service. */
export function consumerQueue(service: string, event: string): string {
  return `${service}-${event.replaceAll(".", "-")}-consumer`;
}

/** Where a message of the family waits for its next attempt. */
export function rungOf(family: QueueFamily, attempt: number): Destination | undefined {
  const rung = family.ladder[attempt - 1];
  return rung?.shared === true ? { exchange: rung.queue, routingKey: family.work } : rung?.queue;
}

/** For log lines, errors and metrics: the queue, the shared rung or the event. */
export function nameOf(to: Destination): string {
  if (typeof to === "string") {
    return to;
  }
  return to.exchange === EVENTS_EXCHANGE ? to.routingKey : to.exchange;
}

/** How often a message is tried before it is given up: once, and once more after each rung. */
export function maxAttempts(family: QueueFamily): number {
  return family.ladder.length + 1;
}

export function queueNames(family: QueueFamily): string[] {
  return [family.work, family.deadLetter, ...family.ladder.map((rung) => rung.queue)];
}

/** A queue as it is declared. */
export interface QueueDeclaration {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** From the bottom up: a dead letter without its queue would wait in the source queue. */
export function queueDeclarations(family: QueueFamily): QueueDeclaration[] {
  const quorum = (name: string, limits: object) => ({
    name,
    arguments: { "x-queue-type": "quorum", ...limits },
  });
  return [
    quorum(family.deadLetter, { "x-delivery-limit": DEAD_LETTER_LIMIT }),
    quorum(family.work, { ...deadLetteringTo(family.deadLetter), "x-delivery-limit": family.deliveryLimit }),
    // One queue per delay: an expiry of the message's own is only looked at when it reaches the head.
    ...family.ladder.map(({ queue, delayMs, shared }) =>
      quorum(queue, {
        ...deadLetteringTo(shared === true ? undefined : family.work),
        "x-message-ttl": delayMs,
      }),
    ),
  ];
}

/** Declares the family; does nothing where it already stands as described. */
export async function declareFamily(channel: Channel, family: QueueFamily): Promise<void> {
  for (const queue of queueDeclarations(family)) {
    await channel.assertQueue(queue.name, { durable: true, arguments: queue.arguments });
  }
  for (const { queue } of family.ladder.filter(({ shared }) => shared)) {
    await channel.assertExchange(queue, "fanout", { durable: true });
    await channel.bindQueue(queue, queue, "");
  }
  // Bound last: an event must find its queue's ladder and dead letters there.
  if (family.event !== undefined) {
    await channel.assertExchange(EVENTS_EXCHANGE, "topic", { durable: true });
    await channel.bindQueue(family.work, EVENTS_EXCHANGE, family.event);
  }
}

/**
 * At-least-once, for which the broker wants reject-publish; with drop-head it silently falls back to at-most-once.
 *
 * @param queue without one a message goes to the queue that its routing key names.
 */
function deadLetteringTo(queue: string | undefined): object {
  return {
    "x-dead-letter-exchange": "",
    ...(queue === undefined ? {} : { "x-dead-letter-routing-key": queue }),
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
  };
}
