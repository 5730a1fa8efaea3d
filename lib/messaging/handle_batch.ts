import type { OutgoingMessage } from "../broker/confirms.js";
import type { Outcome } from "../broker/delivery.js";
import { adviceOf, codeOf } from "../errors.js";
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

/** Lost against somebody else, who holds a lock for milliseconds: nothing is wrong with any event of the batch. */
const LOST_RACE: ReadonlySet<string> = new Set(["40001", "40P01", "55P03"]);
const RACE_BACKOFF = { baseMs: 20, capMs: 1_000 };
const OUTAGE_BACKOFF = { baseMs: 250, capMs: 10_000 };

/**
 * Takes a batch from its bytes to an outcome for each message. A server that is away is waited for and costs no attempt.
 * Pure but for its ports.
 */
export async function handleBatch<Body>(
  handler: EventHandler<Body>,
  ports: BatchPorts,
  raw: readonly RawEvent[],
): Promise<readonly Outcome[]> {
  const outcomes = new Array<Outcome>(raw.length);
  const events: ReceivedEvent<Body>[] = [];
  const places: number[] = [];
  for (const [i, each] of raw.entries()) {
    try {
      events.push(readEvent(handler.event, each));
      places.push(i);
    } catch (error) {
      const { messageId, headers } = each;
      const trace_id = traceIdOf(headers[EVENT_HEADER.traceparent]);
      outcomes[i] = failure(error, ports.logger, { messageId, trace_id, event: handler.event.name });
    }
  }
  await handleAll(handler, ports, events, (i, outcome) => {
    outcomes[places[i] as number] = outcome;
  });
  return outcomes;
}

async function handleAll<Body>(
  handler: EventHandler<Body>,
  ports: BatchPorts,
  events: readonly ReceivedEvent<Body>[],
  settle: (i: number, outcome: Outcome) => void,
): Promise<void> {
  if (events.length === 0) {
    return;
  }
  let handled: readonly EventOutcome[] | undefined;
  for (let tries = 0; ; tries++) {
    try {
      if (handled === undefined) {
        if (ports.breakers.PostgreSQL.open) {
          await ports.breakers.PostgreSQL.recovered(ports.halt);
        }
        handled = requireAll(await handler.handle(events), events);
      }
      // What is committed is not done again; only its followers wait.
      await ports.publishAll(handled.flatMap((each) => (each.kind === "done" ? (each.followers ?? []) : [])));
      for (const [i, outcome] of handled.entries()) {
        settle(i, outcome.kind === "done" ? DONE : outcome);
      }
      tell(handler.event, ports.logger, events, handled);
      return;
    } catch (error) {
      if (ports.halt.aborted) {
        settleAll(events, settle, RELEASE);
        return;
      }
      if (await waited(error, tries, ports)) {
        continue;
      }
      const [only] = events;
      if (events.length === 1 && only !== undefined) {
        const { messageId, traceId } = only;
        settle(0, failure(error, ports.logger, { messageId, trace_id: traceId, event: handler.event.name }));
        return;
      }
      const middle = events.length >> 1;
      await handleAll(handler, ports, events.slice(0, middle), settle);
      await handleAll(handler, ports, events.slice(middle), (i, outcome) => settle(middle + i, outcome));
      return;
    }
  }
}

/** What became of each event, under its trace: what went well for whoever debugs, what did not for everybody. */
function tell<Body>(
  event: EventContract<Body>,
  logger: Logger,
  events: readonly ReceivedEvent<Body>[],
  handled: readonly EventOutcome[],
): void {
  const debugs = logger.isLevelEnabled("debug");
  for (const [i, outcome] of handled.entries()) {
    if (outcome.kind === "done" && !debugs) {
      continue;
    }
    const { body, messageId, traceId } = events[i] as ReceivedEvent<Body>;
    const about = { trace_id: traceId, event: event.name, key: event.key(body), messageId };
    if (outcome.kind === "done") {
      const causes = outcome.followers?.map(({ properties }) => properties.type) ?? [];
      logger.debug({ ...about, causes }, "event handled");
    } else {
      logger.warn({ ...about, code: outcome.code, verdict: outcome.kind }, outcome.reason);
    }
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

function settleAll(
  events: readonly unknown[],
  settle: (i: number, outcome: Outcome) => void,
  outcome: Outcome,
): void {
  for (const i of events.keys()) {
    settle(i, outcome);
  }
}

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
  ports.logger.warn({ code, server }, `waiting for ${server}: ${adviceOf(error)}`);
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
