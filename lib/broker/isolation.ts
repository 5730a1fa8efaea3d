import { pause } from "../timing.js";
import { Slots } from "./slots.js";

/**
 * From this delivery on a message may be poison: it may kill its worker. Three deliveries are normal: two deploys and a
 * broken connection.
 */
export const POISON_CANDIDATE_COUNT = 3;

/** Long enough that all poison candidates of a new consumer are put into one random order. */
export const SHUFFLE_MS = 500;

/**
 * Runs poison candidates one at a time, in random order. A message that kills its worker costs every message in flight
 * there one delivery: side by side they would reach the delivery limit together, and good messages would be dead-lettered
 * with the bad one. In random order a good message is done before the next crash every other time. There are 17 crashes
 * from the first suspicion to the limit (20): it misses all of them once in 130,000.
 */
export class Isolation {
  readonly #lane = new Slots(1);

  async run(task: () => Promise<void>): Promise<void> {
    await pause(Math.random() * SHUFFLE_MS);
    await this.#lane.run(task);
  }
}
