import { type DeadLetter, original } from "../broker/dead_letter.js";
import type { DeadLetters } from "../broker/dead_letters.js";
import type { Publisher } from "../broker/publisher.js";
import type { QueueFamily } from "../broker/topology.js";
import { CoreError } from "../core_errors.js";
import { codeOf, messageOf } from "../errors.js";
import type { Queryable } from "../postgres/pool.js";
import { type ActionKind, Audit } from "./audit.js";
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
  readonly signal: AbortSignal;
}

/** What was dealt with in a window and may go; the rest stays, for the reason given. */
interface Dealt {
  readonly done: readonly DeadLetter[];
  readonly failure?: unknown;
}

/**
 * Sends letters to the work queues that they came from again. In the order that makes every death harmless: copy confirmed, recorded, original
 * acked. One in between leaves the original where it is and its copy in the work queue, where a step may come twice.
 */
export function replay(
  action: Action & { readonly publisher: Publisher; readonly families: readonly QueueFamily[] },
): Promise<ActionReport> {
  const { publisher, families } = action;
  return carryOut("replay", action, async (selected) => {
    const outcomes = await Promise.allSettled(
      selected.map(async (letter) =>
        publisher.publish(homeOf(letter, families), letter.body, original(letter)),
      ),
    );
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    const done = selected.filter((_, i) => outcomes[i]?.status === "fulfilled");
    return { done, ...(failed === undefined ? {} : { failure: failed.reason }) };
  });
}

/**
 * The queue whose consumer failed: dead letters of a service lie in one queue.
 *
 * @throws CoreError DEAD_LETTER_QUEUE_UNKNOWN
 */
function homeOf({ id, queue, properties }: DeadLetter, families: readonly QueueFamily[]): string {
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
  return home.work;
}

/** Deletes letters for good; their ids, digests and beginnings stay in the record. */
export function purge(action: Action): Promise<ActionReport> {
  return carryOut("purge", action, async (selected) => ({ done: selected }));
}

async function carryOut(
  kind: ActionKind,
  { db, letters, queue, selection, signal }: Action,
  deal: (selected: readonly DeadLetter[]) => Promise<Dealt>,
): Promise<ActionReport> {
  const { total } = letters;
  const audit = await Audit.begin(db, { kind, queue, selection, total });
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
