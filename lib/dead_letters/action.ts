import type { OutgoingMessage } from "../broker/confirms.js";
import { type DeadLetter, original } from "../broker/dead_letter.js";
import type { DeadLetters } from "../broker/dead_letters.js";
import type { Publisher } from "../broker/publisher.js";
import { EVENTS_EXCHANGE, type QueueFamily } from "../broker/topology.js";
import { codeOf, messageOf } from "../errors.js";
import { EVENT_HEADER } from "../messaging/event.js";
import type { Queryable } from "../postgres/pool.js";
import { type ActionKind, Audit } from "./audit.js";
import { homeOf } from "./home.js";
import { type Selection, selectedWindows } from "./selection.js";

export interface ActionReport {
  readonly action: ActionKind;
  readonly actionId: number;
  /** Letters in the queue at the start. */
  readonly total: number;
  readonly selected: number;
  readonly done: number;
}

export interface Action {
  readonly db: Queryable;
  readonly letters: DeadLetters;
  readonly queue: string;
  readonly selection: Selection;
  /** Who does it. Default: the user of this process. */
  readonly by?: string;
  readonly signal: AbortSignal;
}

/** What was dealt with in a window and may go; the rest stays, for the reason given. */
interface Dealt {
  readonly done: readonly DeadLetter[];
  readonly failure?: unknown;
}

/** To the consumer that failed, or by the exchange to all who take the event. */
export type ReplayTo = "consumer" | "topic";

export interface Replay extends Action {
  readonly publisher: Publisher;
  /** Those whose letters lie in the queue. */
  readonly families: readonly QueueFamily[];
  /** A topic only where their messages are events. */
  readonly to: ReplayTo;
}

/**
 * Sends letters to where they came from again. In the order that makes every death harmless: copy confirmed, recorded, original
 * acked. One in between leaves the original where it is and its copy in the work queue, where a step may come twice.
 */
export function replay(action: Replay): Promise<ActionReport> {
  const { publisher, families, to } = action;
  return carryOut("replay", action, async (selected) => {
    const outcomes = await Promise.allSettled(
      selected.map(async (letter) => publisher.publishAll([again(letter, homeOf(letter, families), to)])),
    );
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    const done = selected.filter((_, i) => outcomes[i]?.status === "fulfilled");
    return { done, ...(failed === undefined ? {} : { failure: failed.reason }) };
  });
}

/** A letter as its producer sent it; by the topic it is said once more, so observers do not count it again. */
function again(letter: DeadLetter, { work, event }: QueueFamily, to: ReplayTo): OutgoingMessage {
  const { body } = letter;
  const properties = original(letter);
  if (to === "consumer" || event === undefined) {
    return { to: work, body, properties };
  }
  const headers = { ...properties.headers, [EVENT_HEADER.repeat]: true };
  const topic = { exchange: EVENTS_EXCHANGE, routingKey: event };
  return { to: topic, body, properties: { ...properties, headers } };
}

/** Deletes letters for good; their ids, digests and beginnings stay in the record. */
export function purge(action: Action): Promise<ActionReport> {
  return carryOut("purge", action, async (selected) => ({ done: selected }));
}

async function carryOut(
  kind: ActionKind,
  { db, letters, queue, selection, by, signal }: Action,
  deal: (selected: readonly DeadLetter[]) => Promise<Dealt>,
): Promise<ActionReport> {
  const { total } = letters;
  const audit = await Audit.begin(db, { kind, queue, selection, total, by });
  const counts = { selected: 0, done: 0 };
  try {
    const stopped = () => (signal.aborted ? `stopped after ${counts.done} letters.` : undefined);
    for await (const selected of selectedWindows(letters, selection, stopped)) {
      const { done, failure } = await deal(selected);
      await audit.record(selected.length, done);
      letters.remove(done);
      counts.selected += selected.length;
      counts.done += done.length;
      if (failure !== undefined) {
        throw failure;
      }
    }
  } catch (error) {
    // The database may be what failed; then the row stays at `started`, as after a kill.
    await audit.end(`${codeOf(error) ?? "INTERNAL"}: ${messageOf(error)}`).catch(() => undefined);
    throw error;
  }
  await audit.end();
  return { action: kind, actionId: audit.actionId, total, ...counts };
}
