import type { Publisher } from "./publisher.js";
import type { QueueFamily } from "./topology.js";

/** Where so many wait already one more only makes it worse. */
const FULL = 1_000;

/**
 * What may be asked once more: no queue of the events that it depends on is full. Without the broker nothing may.
 *
 * @param events an event that asks and the one that answers, by whatever the caller calls them: a full queue of answers has the
 * asked for answer in it, and asking again only makes it longer
 * @param families all queues of the platform
 */
export async function withRoom<Name extends string>(
  publisher: Pick<Publisher, "isUp" | "messagesIn">,
  families: readonly QueueFamily[],
  events: Readonly<Record<Name, readonly string[]>>,
): Promise<readonly Name[]> {
  if (!publisher.isUp) {
    return [];
  }
  const room: Name[] = [];
  for (const [name, needed] of Object.entries(events) as [Name, readonly string[]][]) {
    const queues = families.filter(({ event }) => event !== undefined && needed.includes(event));
    const waiting = await Promise.all(queues.map(({ work }) => publisher.messagesIn(work)));
    if (waiting.every((messages) => messages <= FULL)) {
      room.push(name);
    }
  }
  return room;
}
