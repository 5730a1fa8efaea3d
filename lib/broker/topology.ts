import type { Channel } from "amqplib";

/**
 * A work queue, the retry ladder beside it and the dead-letter queue below it, all on the default exchange: a queue's name is its
 * routing key. Arguments stand here and nowhere else, because a queue declared twice with different ones is a PRECONDITION_FAILED
 * for whoever comes second. All are durable quorum queues, the only kind that RabbitMQ 3.10 and 4.x both take and that survives a
 * broker's death.
 */
export interface QueueFamily {
  readonly work: string;
  readonly deadLetter: string;
  /** By attempt: a message that failed its n-th attempt waits in rung n − 1. */
  readonly ladder: readonly { readonly queue: string; readonly delayMs: number }[];
  readonly deliveryLimit: number;
}

/** Doubling up to 64 s: seven attempts within about two minutes, then a person has to look. Outages don't count. */
const LADDER_MS = [2_000, 4_000, 8_000, 16_000, 32_000, 64_000] as const;

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
  options: { ladderMs?: readonly number[]; deliveryLimit?: number } = {},
): QueueFamily {
  return {
    work: name,
    deadLetter: `${name}.dlq`,
    ladder: (options.ladderMs ?? LADDER_MS).map((delayMs) => ({
      queue: `${name}.retry.${delayMs % 1_000 === 0 ? `${delayMs / 1_000}s` : `${delayMs}ms`}`,
      delayMs,
    })),
    deliveryLimit: options.deliveryLimit ?? DELIVERY_LIMIT,
  };
}

/** How often a message is tried before it is given up: once, and once more after each rung. */
export function maxAttempts(family: QueueFamily): number {
  return family.ladder.length + 1;
}

export function queueNames(family: QueueFamily): string[] {
  return [family.work, family.deadLetter, ...family.ladder.map((rung) => rung.queue)];
}

/** From the bottom up: a dead letter without its queue would wait in the source queue. */
export function queueDeclarations(family: QueueFamily) {
  const quorum = (name: string, limits: Readonly<Record<string, unknown>>) => ({
    name,
    arguments: { "x-queue-type": "quorum", ...limits },
  });
  return [
    quorum(family.deadLetter, { "x-delivery-limit": DEAD_LETTER_LIMIT }),
    quorum(family.work, { ...deadLetteringTo(family.deadLetter), "x-delivery-limit": family.deliveryLimit }),
    // One queue per delay: an expiry of the message's own is only looked at when it reaches the head.
    ...family.ladder.map(({ queue, delayMs }) =>
      quorum(queue, { ...deadLetteringTo(family.work), "x-message-ttl": delayMs }),
    ),
  ];
}

/** Declares the family; does nothing where it already stands as described. */
export async function declareFamily(channel: Channel, family: QueueFamily): Promise<void> {
  for (const queue of queueDeclarations(family)) {
    await channel.assertQueue(queue.name, { durable: true, arguments: queue.arguments });
  }
}

/** At-least-once, for which the broker wants reject-publish; with drop-head it silently falls back to at-most-once. */
function deadLetteringTo(queue: string) {
  return {
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": queue,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
  };
}
