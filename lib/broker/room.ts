import type { Publisher } from "./publisher.js";
import type { QueueFamily } from "./topology.js";

/** Where so many wait already one more only makes it worse. */
const FULL = 1_000;

/**
 * Which events may be sent once more: none of an event's queues is full. Without the broker none may.
 *
 * @param events by whatever the caller calls them
 * @param families all queues of the platform
 */
export async function withRoom<Name extends string>(
  publisher: Pick<Publisher, "isUp" | "messagesIn">,
  families: readonly QueueFamily[],
  events: Readonly<Record<Name, string>>,
): Promise<readonly Name[]> {
  if (!publisher.isUp) {
    return [];
  }
  const room: Name[] = [];
  for (const [name, event] of Object.entries(events) as [Name, string][]) {
    const queues = families.filter((family) => family.event === event);
    const waiting = await Promise.all(queues.map(({ work }) => publisher.messagesIn(work)));
    if (waiting.every((messages) => messages <= FULL)) {
      room.push(name);
    }
  }
  return room;
}
