import { setImmediate as breath } from "node:timers/promises";
import { Gatherer } from "../../lib/gatherer.js";
import type { Instruments } from "../../lib/observability/registry.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { verdictOf } from "../../lib/retry.js";
import {
  type Arrival,
  countedOf,
  maskedArrival,
  type NewEvent,
  type Understood,
  understoodOf,
} from "./arrival.js";
import type { ingestMetrics } from "./metrics.js";
import type { Normaliser } from "./normaliser.js";
import { whileRacing } from "./racing.js";
import { firstRetryAt } from "./retry.js";
import {
  enterBodies,
  enterEvents,
  enterKeys,
  findKnown,
  keyText,
  type ToldEvent,
} from "./store/new_event.js";
import { addToPayments, paymentOf } from "./store/payment.js";
import { count } from "./store/roll_up.js";

/** What became of an event that somebody brought. */
export interface Result extends ToldEvent {
  /** It had come before: this is what the first one was taken for. */
  readonly repeat: boolean;
}

/** Requests that come within so many milliseconds share a commit; see POST /payments, which does the same. */
const GROUP = { waitMs: 3, max: 200 };
/** More events at once pay for a commit of their own. */
const LARGE = 50;
/** A transaction takes no more but those of one body, some 200 ms: a report may have thousands of rows, and a batch many reports. */
const MAX_EVENTS = 2_000;
/** So many are masked and understood at a time, which takes some 10 ms; then others have their turn. */
const AT_ONCE = 250;

export interface IntakeOptions {
  readonly pool: Pool;
  readonly normaliser: Normaliser;
  /** Groups that are entered at a time. */
  readonly connections: number;
  readonly metrics: Instruments<typeof ingestMetrics>;
}

/** Takes in what providers say, from whoever brings it: masked, understood, and durable before it is answered. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #group: Gatherer<Understood, readonly Result[]>;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#group = new Gatherer({ ...GROUP, atOnce: options.connections, work: (all) => this.#enter(all) });
  }

  /**
   * Up to 2,000 events are one transaction: all of them or, when that fails, none. Whatever was brought before is a repeat; so are those
   * of an earlier transaction, when a later one of the same call failed.
   *
   * @returns by body its events, in their order
   * @throws what the database says when it is away, or when somebody holds the same keys for long
   */
  async take(arrivals: readonly Arrival[]): Promise<readonly (readonly Result[])[]> {
    const understood = await this.#understand(arrivals);
    const results: (readonly Result[])[] = [];
    for (const portion of portionsOf(understood)) {
      results.push(...(await this.#takePortion(portion)));
    }
    return results;
  }

  #takePortion(portion: readonly Understood[]): Promise<readonly (readonly Result[])[]> {
    return eventsIn(portion) > LARGE
      ? this.#enter(portion).catch((error: unknown) =>
          allOf(portion, (each) => this.#enterAlone(each, error)),
        )
      : allOf(portion, (each) =>
          this.#group.add(each).catch((error: unknown) => this.#enterAlone(each, error)),
        );
  }

  /** What the database refuses because of one of them it may take of the others. @throws `refusal` where it is no such */
  async #enterAlone(each: Understood, refusal: unknown): Promise<readonly Result[]> {
    if (verdictOf(refusal) !== "reject") {
      throw refusal;
    }
    const [results = []] = await this.#enter([each]);
    return results;
  }

  async #understand(arrivals: readonly Arrival[]): Promise<readonly Understood[]> {
    const receivedAt = new Date();
    const understood: Understood[] = [];
    for (let from = 0; from < arrivals.length; from += AT_ONCE) {
      if (from > 0) {
        await breath();
      }
      const some = arrivals
        .slice(from, from + AT_ONCE)
        .map((each) => ({ ...maskedArrival(each), receivedAt }));
      const normalised = await this.#options.normaliser.normalise(some);
      understood.push(...some.map((each, i) => understoodOf(each, normalised[i] ?? [])));
    }
    return understood;
  }

  async #enter(understood: readonly Understood[]): Promise<readonly (readonly Result[])[]> {
    const end = this.#options.metrics.enterSeconds.startTimer();
    const events = understood.flatMap((each) => each.events);
    const { fresh, results } = await whileRacing(() => this.#store(understood, events));
    end();
    const pending = fresh.filter(({ taken }) => taken.code === "AI_PENDING");
    this.#options.normaliser.stored?.([...new Set(pending.map(({ bodyId }) => bodyId))]);
    return understood.map(({ body, events: own }) =>
      own.map((event) => {
        const result = results.get(event) as Result;
        this.#count(result, body.source);
        return result;
      }),
    );
  }

  /** @throws LostRace when somebody else has just entered the same; all is known then */
  async #store(understood: readonly Understood[], events: readonly NewEvent[]): Promise<Sorted> {
    const { pool } = this.#options;
    const known = await findKnown(
      pool,
      events.flatMap(({ keys }) => keys),
    );
    const sorted = sortOut(events, new Map(known));
    const { fresh, keys } = sorted;
    const isNew = new Set(fresh.map(({ bodyId }) => bodyId));
    const bodies = understood.map(({ body }) => body).filter(({ id }) => isNew.has(id));
    if (fresh.length + keys.length > 0) {
      await transaction(pool, async (tx) => {
        // First: it may be lost, and all that was done before it would be done again.
        await enterKeys(tx, keys);
        if (fresh.length > 0) {
          await enterBodies(tx, bodies);
          await enterEvents(
            tx,
            fresh.map((event) => ({ ...event, retryAt: firstRetryAt(event) })),
          );
          await addToPayments(
            tx,
            fresh.flatMap(({ taken }) => paymentOf(taken)),
          );
          await count(tx, fresh.map(countedOf));
        }
      });
    }
    return sorted;
  }

  #count({ status, method, code, repeat }: Result, source: string): void {
    const { events, unprocessed } = this.#options.metrics;
    events.inc({ source, status, method, repeat: String(repeat) });
    if (code !== null && !repeat) {
      unprocessed.inc({ code });
    }
  }
}

/** Of all of them, also where one fails. @throws what the first failure was, when all are done */
async function allOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const done = await Promise.allSettled(items.map(work));
  return done.map((each) => {
    if (each.status === "rejected") {
      throw each.reason;
    }
    return each.value;
  });
}

const eventsIn = (understood: readonly Understood[]): number =>
  understood.reduce((sum, { events }) => sum + events.length, 0);

function portionsOf(understood: readonly Understood[]): readonly (readonly Understood[])[] {
  const portions: Understood[][] = [];
  let room = 0;
  for (const each of understood) {
    room -= each.events.length;
    if (room < 0 || portions.length === 0) {
      portions.push([]);
      room = MAX_EVENTS - each.events.length;
    }
    portions.at(-1)?.push(each);
  }
  return portions;
}

interface Sorted {
  /** Of which nothing is known under any of their keys. */
  readonly fresh: readonly NewEvent[];
  readonly results: ReadonlyMap<NewEvent, Result>;
  /** To be entered: of fresh events, and those under which a repeat is found next time. */
  readonly keys: readonly { readonly scope: string; readonly key: string; readonly id: string }[];
}

/** @param known what came first under a key, by its text; those of this batch are added */
function sortOut(events: readonly NewEvent[], known: Map<string, ToldEvent>): Sorted {
  const fresh: NewEvent[] = [];
  const results = new Map<NewEvent, Result>();
  const keys: Sorted["keys"][number][] = [];
  for (const event of events) {
    const first = event.keys.map((key) => known.get(keyText(key))).find((told) => told !== undefined);
    const told = first ?? toldOf(event);
    for (const key of event.keys.filter((each) => !known.has(keyText(each)))) {
      // A provider's key is that of the event which has it; what was brought under another name is found by that name alone.
      if (first === undefined || key.scope.startsWith("source/")) {
        keys.push({ ...key, id: told.id });
        known.set(keyText(key), told);
      }
    }
    if (first === undefined) {
      fresh.push(event);
    }
    results.set(event, { ...told, repeat: first !== undefined });
  }
  return { fresh, results, keys };
}

function toldOf({ id, taken }: NewEvent): ToldEvent {
  const { status, method, confidence, rule, code, detail } = taken;
  return { id, status, method, confidence, rule, code, detail };
}
