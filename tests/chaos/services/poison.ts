import { setTimeout as sleep } from "node:timers/promises";
import type { AllSettings } from "../../../app/settings.js";
import type { QueueFamily } from "../../../lib/broker/topology.js";
import { newId } from "../../../lib/domain/ids.js";
import { peek } from "../../harness/broker.js";
import type { Check } from "../rig.js";
import { Dice } from "../schedule.js";
import { onConfirmChannel, send } from "./messages.js";

/** A message that must end among the dead letters of its service; no two have the same body. */
export interface Poison {
  readonly atMs: number;
  readonly family: QueueFamily;
  readonly body: string;
}

const POISON_PER_MIN = 6;

export function poisonOf(options: {
  readonly seed: number;
  readonly durationMs: number;
  readonly families: readonly QueueFamily[];
}): Poison[] {
  const dice = new Dice(options.seed, "poison");
  const count = Math.ceil((options.durationMs / 60_000) * POISON_PER_MIN);
  return Array.from({ length: count }, (_, i) => ({
    atMs: dice.between(0, options.durationMs),
    family: options.families[i % options.families.length] as QueueFamily,
    body: dice.pick([`poison ${i}`, `{"poison":${i}}`, `{"payment_id":"poison ${i}","id":${i}}`, `[${i}]`]),
  })).sort((a, b) => a.atMs - b.atMs);
}

/** A poison that the broker has. */
export interface Planted extends Poison {
  readonly plantedAtMs: number;
}

/** Sends each in its time, again and again until the broker has it. */
export async function plant(settings: () => AllSettings, poison: readonly Poison[]): Promise<Planted[]> {
  const began = Date.now();
  const planted: Planted[] = [];
  for (const each of poison) {
    await sleep(Math.max(0, began + each.atMs - Date.now()));
    await plantOne(settings, each);
    planted.push({ ...each, plantedAtMs: Date.now() });
  }
  return planted;
}

async function plantOne(settings: () => AllSettings, { family, body }: Poison): Promise<void> {
  const { work, event } = family;
  for (;;) {
    try {
      return await onConfirmChannel(settings(), (channel) =>
        // Not there at the moment: a plain send would be lost without a word.
        channel.checkQueue(work).then(() =>
          send(channel, work, Buffer.from(body), {
            messageId: newId(),
            ...(event === undefined ? {} : { type: event }),
          }),
        ),
      );
    } catch {
      await sleep(200);
    }
  }
}

/**
 * A poison may be there twice: a process died between copying and acking it. How many are excused for a deleted queue is told in the
 * check's name, for whoever judges what the check is worth.
 *
 * @param takenWithinMs for so long at most a message waits for its consumer, where there are faults
 */
export async function checkDeadLetters(
  settings: AllSettings,
  poison: readonly Planted[],
  deleted: readonly { readonly queue: string; readonly atMs: number }[],
  takenWithinMs: number,
): Promise<Check> {
  /** What lay in a queue that was deleted is gone with it. */
  const mayBeGone = ({ family, plantedAtMs }: Planted) =>
    deleted.some(
      ({ queue, atMs }) =>
        queue === family.work && atMs >= plantedAtMs - 1_000 && atMs < plantedAtMs + takenWithinMs,
    );
  const complaints: string[] = [];
  let excused = 0;
  for (const queue of new Set(poison.map(({ family }) => family.deadLetter))) {
    const letters = await peek(settings, queue);
    const found = new Set(letters.map(({ content }) => content.toString()));
    const planted = poison.filter(({ family }) => family.deadLetter === queue);
    const missing = planted.filter(({ body }) => !found.has(body));
    const unexcused = missing.filter((each) => !mayBeGone(each));
    excused += missing.length - unexcused.length;
    complaints.push(
      ...unexcused.map(({ body }) => `${queue}: poison is missing: ${body}`),
      ...letters
        .filter(({ content }) => !planted.some(({ body }) => body === content.toString()))
        .map(
          ({ content, properties }) =>
            `${queue}: not planted: ${content} ${JSON.stringify(properties.headers)}`,
        ),
    );
  }
  const name = `dead letters are just the ${poison.length} planted poisons; ${excused} may have gone with a deleted queue`;
  return { name, complaints };
}
