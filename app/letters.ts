import { DeadLetters } from "../lib/broker/dead_letters.js";
import type { QueueFamily } from "../lib/broker/topology.js";
import { brokerOptions } from "../lib/cli/broker.js";
import type { CommandContext } from "../lib/cli/command.js";
import { CoreError } from "../lib/core_errors.js";
import type { Module } from "../lib/runtime/module.js";

/** Of connections. */
export const LETTERS_NAME = "payments-dlq";

/**
 * The families whose dead letters lie in a queue; those of a service share one.
 *
 * @throws CoreError DEAD_LETTER_QUEUE_UNKNOWN
 */
export function familiesOver(
  queue: string,
  modules: readonly Module[],
): readonly [QueueFamily, ...QueueFamily[]] {
  const all = modules.flatMap(({ queues }) => queues);
  const [first, ...others] = all.filter(({ deadLetter }) => deadLetter === queue);
  if (first === undefined) {
    throw new CoreError("DEAD_LETTER_QUEUE_UNKNOWN", `no dead letters go to "${queue}".`, {
      hint: `There are: ${[...new Set(all.map(({ deadLetter }) => deadLetter))].join(", ")}.`,
    });
  }
  return [first, ...others];
}

/** Runs `work` with the dead letters of a family in hand, which go back in any case. @throws CoreError DEAD_LETTERS_BUSY, RABBITMQ_* */
export async function withLetters<T>(
  context: CommandContext,
  family: QueueFamily,
  work: (letters: DeadLetters) => Promise<T>,
): Promise<T> {
  const letters = await DeadLetters.open({ ...brokerOptions(context, LETTERS_NAME), family });
  try {
    return await work(letters);
  } finally {
    await letters.close();
  }
}
