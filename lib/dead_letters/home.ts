import type { DeadLetter } from "../broker/dead_letter.js";
import type { QueueFamily } from "../broker/topology.js";
import { CoreError } from "../core_errors.js";

/**
 * The family whose consumer failed: dead letters of a service lie in one queue.
 *
 * @throws CoreError DEAD_LETTER_QUEUE_UNKNOWN
 */
export function homeOf(
  { id, queue, properties }: Pick<DeadLetter, "id" | "queue" | "properties">,
  families: readonly QueueFamily[],
): QueueFamily {
  const [only] = families;
  const home =
    families.length === 1
      ? only
      : (families.find(({ work }) => work === queue) ??
        families.find(({ event }) => event === properties.type));
  if (home === undefined) {
    throw new CoreError("DEAD_LETTER_QUEUE_UNKNOWN", `nothing tells which queue letter ${id} came from.`, {
      hint: "Look at it with payments dlq show, and publish it by hand.",
    });
  }
  return home;
}
