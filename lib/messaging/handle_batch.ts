import type { OutgoingMessage } from "../broker/confirms.js";
import type { Outcome } from "../broker/delivery.js";
import { adviceOf, codeOf, messageOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { traceIdOf } from "../observability/trace.js";
import { verdictOf } from "../retry.js";
import { type Breaker, type Server, serverAway } from "../runtime/outage.js";
import { fullJitterMs, type pause } from "../timing.js";
import { EVENT_HEADER, type EventContract, type ReceivedEvent } from "./event.js";
import { type RawEvent, readEvent } from "./read_event.js";

/** What a handler says of one event of its batch. */
export type EventOutcome =
  /** Committed. `followers` are published before the event is acked; they follow from it again when it comes again. */
  | { readonly kind: "done"; readonly followers?: readonly OutgoingMessage[] }
  /** Somebody holds what it needs, and nothing was done about it: it is tried again, its neighbours are done. */
  | { readonly kind: "held" }
  | Extract<Outcome, { kind: "retry" | "reject" }>;

/** What a service does with an event: with many of them at once, in one transaction. */
export interface EventHandler<Body> {
  readonly event: EventContract<Body>;
  /**
   * Resolves after the commit, with an outcome for each event in the same order. What it throws fails all of them: then halves
   * are tried, until the culprit stands alone.
   */
  readonly handle: (events: readonly ReceivedEvent<Body>[]) => Promise<readonly EventOutcome[]>;
}

export interface BatchPorts {
  readonly logger: Logger;
  /** Ends all waiting: the process stops, the broker has taken the batch back, or soon will. */
  readonly halt: AbortSignal;
  readonly breakers: Readonly<Record<Server, Breaker>>;
  readonly pause: typeof pause;
  readonly countOutage: (code: string) => void;
  readonly publishAll: (messages: readonly OutgoingMessage[]) => Promise<void>;
}

/** Messages of a batch, by their place in it, and what became of them. */
export type SettledPart = readonly { readonly place: number; readonly outcome: Outcome }[];

/** Told of a part of the batch as soon as its outcomes are known. */
export type SettlePart = (part: SettledPart) => void;

/** Lost against somebody else, which passes by itself: nothing is wrong with any event of the batch. */
const LOST_RACE: ReadonlySet<string> = new Set(["40001", "40P01"]);
const RACE_BACKOFF = { baseMs: 20, capMs: 1_000 };
/** Somebody holds a lock for longer than a transaction of ours takes: a session in somebody's hands, a frozen process. */
const LOCKED = "55P03";
/** A batch holds its locks for 20 ms, a large one for 50. What is held for longer waits in the ladder, where it is in nobody's way. */
const HELD = { tries: 5, pauseMs: 20 };
const OUTAGE_BACKOFF = { baseMs: 250, capMs: 2_000 };

/**
 * Takes a batch from its bytes to an outcome for each message. A server that is away is waited for and costs no attempt.
 * Pure but for its ports. Throws only what `settle` does.
 */
export async function handleBatch<Body>(
  handler: EventHandler<Body>,
  ports: BatchPorts,
  raw: readonly RawEvent[],
  settle: SettlePart,
): Promise<void> {
  const malformed: SettledPart[number][] = [];
  const events: Placed<Body>[] = [];
  for (const [place, each] of raw.entries()) {
    try {
      events.push({ place, event: readEvent(handler.event, each) });
    } catch (error) {
      const { messageId, headers } = each;
      const trace_id = traceIdOf(headers[EVENT_HEADER.traceparent]);
      const about = { messageId, trace_id, event: handler.event.name };
      malformed.push({ place, outcome: failure(error, ports.logger, about) });
    }
  }
  if (malformed.length > 0) {
    settle(malformed);
  }
  await handleAll(handler, ports, events, settle);
}

/** An event, and its place in the batch. */
interface Placed<Body> {
  readonly place: number;
  readonly event: ReceivedEvent<Body>;
}

async function handleAll<Body>(
  handler: EventHandler<Body>,
  ports: BatchPorts,
  events: readonly Placed<Body>[],
  settle: SettlePart,
): Promise<void> {
  let left = events;
  // Told together: a batch in which one waited for a moment is done as a whole all the same, and acked as one.
  const settled: SettledPart[number][] = [];
  for (let tries = 0; left.length > 0 && tries < HELD.tries; tries++) {
    if (tries > 0) {
      await ports.pause(HELD.pauseMs, ports.halt);
    }
    const { known, held } = await handleFree(handler, ports, left, settle);
    settled.push(...known);
    left = held;
  }
  settled.push(...released(left));
  if (settled.length > 0) {
    settle(settled);
  }
}

/** @returns what is known and not settled yet, and the events that somebody holds. */
async function handleFree<Body>(
  handler: EventHandler<Body>,
  ports: BatchPorts,
  events: readonly Placed<Body>[],
  settle: SettlePart,
): Promise<{ readonly known: SettledPart; readonly held: readonly Placed<Body>[] }> {
  let handled: readonly EventOutcome[] | undefined;
  for (let tries = 0; ; tries++) {
    try {
      if (handled === undefined) {
        if (ports.breakers.PostgreSQL.open) {
          await ports.breakers.PostgreSQL.recovered(ports.halt);
        }
        handled = requireAll(await handler.handle(events.map(({ event }) => event)), events);
      }
      // What is committed is not done again; only its followers wait.
      await ports.publishAll(handled.flatMap((each) => (each.kind === "done" ? (each.followers ?? []) : [])));
      break;
    } catch (error) {
      if (ports.halt.aborted) {
        return { known: released(events), held: [] };
      }
      if (await waited(error, tries, ports)) {
        continue;
      }
      const [only] = events;
      if (events.length > 1 || only === undefined) {
        const middle = events.length >> 1;
        await handleAll(handler, ports, events.slice(0, middle), settle);
        await handleAll(handler, ports, events.slice(middle), settle);
        return { known: [], held: [] };
      }
      if (codeOf(error) === LOCKED) {
        return { known: released(events), held: [] };
      }
      const { messageId, traceId } = only.event;
      const about = { messageId, trace_id: traceId, event: handler.event.name };
      return { known: [{ place: only.place, outcome: failure(error, ports.logger, about) }], held: [] };
    }
  }
  const held: Placed<Body>[] = [];
  const known: SettledPart[number][] = [];
  for (const [i, outcome] of handled.entries()) {
    const each = events[i] as Placed<Body>;
    if (outcome.kind === "held") {
      held.push(each);
    } else {
      known.push({ place: each.place, outcome: outcome.kind === "done" ? DONE : outcome });
      tell(handler.event, ports.logger, each.event, outcome);
    }
  }
  return { known, held };
}

/** What became of an event, under its trace: what went well for whoever debugs, what did not for everybody. */
function tell<Body>(
  event: EventContract<Body>,
  logger: Logger,
  { body, messageId, traceId }: ReceivedEvent<Body>,
  outcome: Exclude<EventOutcome, { kind: "held" }>,
): void {
  if (outcome.kind === "done" && !logger.isLevelEnabled("debug")) {
    return;
  }
  const about = { trace_id: traceId, event: event.name, key: keyOf(event, body), messageId };
  if (outcome.kind === "done") {
    const causes = outcome.followers?.map(({ properties }) => properties.type) ?? [];
    logger.debug({ ...about, causes }, "event handled");
  } else {
    logger.warn({ ...about, code: outcome.code, verdict: outcome.kind }, outcome.reason);
  }
}

/** For a line that tells what is done: it may not fail what it tells of. */
function keyOf<Body>(event: EventContract<Body>, body: Body): string {
  try {
    return event.key(body);
  } catch (error) {
    return `none: ${messageOf(error)}`;
  }
}

/** A hole would be acked like a success. */
function requireAll(outcomes: readonly EventOutcome[], events: readonly unknown[]): readonly EventOutcome[] {
  if (outcomes.length !== events.length || outcomes.includes(undefined as never)) {
    throw new Error(`the handler gave ${outcomes.length} outcomes for ${events.length} events`);
  }
  return outcomes;
}

const DONE: Outcome = { kind: "done" };
const RELEASE: Outcome = { kind: "release" };

const released = (events: readonly Placed<unknown>[]): SettledPart =>
  events.map(({ place }) => ({ place, outcome: RELEASE }));

/** Whether the failure was nobody's fault and has been waited out. */
async function waited(error: unknown, tries: number, ports: BatchPorts): Promise<boolean> {
  const code = codeOf(error) ?? "INTERNAL";
  if (LOST_RACE.has(code)) {
    await ports.pause(fullJitterMs(tries, RACE_BACKOFF), ports.halt);
    return true;
  }
  if (verdictOf(error) !== "outage") {
    return false;
  }
  const server = serverAway(code);
  ports.logger.warn({ code, server }, `waiting for ${server}: ${ports.breakers[server].reasonOf(error)}`);
  ports.countOutage(code);
  await ports.breakers[server].recovered(ports.halt);
  await ports.pause(fullJitterMs(tries, OUTAGE_BACKOFF), ports.halt);
  return true;
}

function failure(error: unknown, logger: Logger, about: object): Outcome {
  const code = codeOf(error) ?? "INTERNAL";
  const reason = adviceOf(error);
  const verdict = verdictOf(error);
  logger.error({ code, verdict, ...about, err: error }, reason);
  return { kind: verdict === "reject" ? "reject" : "retry", code, reason };
}
