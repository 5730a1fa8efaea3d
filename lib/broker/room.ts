import type { Publisher } from "./publisher.js";
import type { QueueFamily } from "./topology.js";

/** Where so many wait already one more only makes it worse. */
const FULL = 1_000;

/**
 * What may be asked once more: no queue of the events that it depends on is full. Without the broker nothing may.
 *
 * @param asked the event that asks and the one that answers, by whatever the caller calls the question: a full queue of answers has
 * the answer in it, and asking again only makes it longer
 * @param families all queues of the platform
 */
export async function withRoom<Name extends string>(
  publisher: Pick<Publisher, "isUp" | "messagesIn">,
  families: readonly QueueFamily[],
  asked: Readonly<Record<Name, readonly string[]>>,
): Promise<readonly Name[]> {
  if (!publisher.isUp) {
    return [];
  }
  const room: Name[] = [];
  for (const [name, events] of Object.entries(asked) as [Name, readonly string[]][]) {
    const queues = families.filter(({ event }) => event !== undefined && events.includes(event));
    const waiting = await Promise.all(queues.map(({ work }) => publisher.messagesIn(work)));
    if (waiting.every((messages) => messages <= FULL)) {
      room.push(name);
    }
  }
  return room;
}
