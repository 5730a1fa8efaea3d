import { pause } from "../timing.js";
import { Slots } from "./slots.js";

/**
 * From this delivery on a message is under suspicion of killing its worker. Deliveries one to three are normal life: two
 * deploys and a broken connection.
 */
export const SUSPECT_DELIVERY_COUNT = 3;

/** Long enough that all suspects of a fresh consumer draw their place in the same lottery. */
const LOTTERY_MS = 500;

/**
 * Runs suspects one at a time, in random order. A message that kills its worker costs all messages in that worker's hands
 * one delivery, so side by side they would all reach the delivery limit together and the innocent be dead-lettered with
 * the guilty. In random order an innocent one gets done before the next crash every other time: of 17 crashes between
 * suspicion and limit (20) it misses all once in 130,000.
 */
export class Isolation {
  readonly #lane = new Slots(1);

  async run(task: () => Promise<void>): Promise<void> {
    await pause(Math.random() * LOTTERY_MS);
    await this.#lane.run(task);
  }
}
