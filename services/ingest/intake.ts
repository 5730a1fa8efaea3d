import { setImmediate as breath } from "node:timers/promises";
import { codeOf } from "../../lib/errors.js";
import { Gatherer } from "../../lib/gatherer.js";
import type { Instruments } from "../../lib/observability/registry.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { type Arrival, countedOf, type NewEvent, type Understood, understoodOf } from "./arrival.js";
import { maskBody } from "./domain/mask.js";
import type { ingestMetrics } from "./metrics.js";
import type { Normaliser } from "./normaliser.js";
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
/** More bodies at once pay for a commit of their own. */
const LARGE = 20;
/** So many are masked and understood at a time, which takes some 10 ms; then others have their turn. */
const AT_ONCE = 250;
/** Somebody entered the same keys just then, or in another order: what they are the keys of is known now. */
const TRIES = 5;
const DEADLOCK = "40P01";

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
   * What it takes in is one transaction: all of it or, when that fails, nothing. Whatever was brought before is a repeat.
   *
   * @returns by body its events, in their order
   * @throws what the database says when it is away, or when somebody holds the same keys for long
   */
  async take(arrivals: readonly Arrival[]): Promise<readonly (readonly Result[])[]> {
    const understood = await this.#understand(arrivals);
    if (understood.length > LARGE) {
      return this.#enter(understood);
    }
    return Promise.all(understood.map((each) => this.#group.add(each)));
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
        .map((each) => ({ ...each, raw: maskBody(each.raw), receivedAt }));
      const normalised = await this.#options.normaliser.normalise(some);
      understood.push(...some.map((each, i) => understoodOf(each, normalised[i] ?? [])));
    }
    return understood;
  }

  async #enter(understood: readonly Understood[]): Promise<readonly (readonly Result[])[]> {
    for (let tries = 1; ; tries++) {
      try {
        const results = await this.#tryEnter(understood);
        if (results !== undefined) {
          return results;
        }
      } catch (error) {
        if (codeOf(error) !== DEADLOCK || tries === TRIES) {
          throw error;
        }
      }
      if (tries === TRIES) {
        throw new Error(`the keys of events were taken ${TRIES} times while they were entered`);
      }
    }
  }

  /** @returns undefined when somebody else has just entered one of the keys */
  async #tryEnter(understood: readonly Understood[]): Promise<readonly (readonly Result[])[] | undefined> {
    const { pool, normaliser } = this.#options;
    const end = this.#options.metrics.enterSeconds.startTimer();
    const events = understood.flatMap((each) => each.events);
    const known = new Map(
      await findKnown(
        pool,
        events.flatMap(({ keys }) => keys),
      ),
    );
    const { fresh, results, keys } = sortOut(events, known);
    const ids = new Set(fresh.map(({ bodyId }) => bodyId));
    const bodies = understood.map(({ body }) => body).filter(({ id }) => ids.has(id));
    const entered =
      (fresh.length === 0 && keys.length === 0) ||
      (await transaction(pool, async (tx) => {
        if (!(await enterKeys(tx, keys))) {
          throw new KeyTaken();
        }
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
        return true;
      }).catch((error: unknown) => {
        if (error instanceof KeyTaken) {
          return false;
        }
        throw error;
      }));
    if (!entered) {
      return undefined;
    }
    end();
    normaliser.stored?.([...ids]);
    return understood.map(({ body, events: own }) =>
      own.map((event) => {
        const result = results.get(event) as Result;
        this.#count(result, body.source);
        return result;
      }),
    );
  }

  #count({ status, method, code, repeat }: Result, source: string): void {
    const { events, unprocessed } = this.#options.metrics;
    events.inc({ source, status, method, repeat: String(repeat) });
    if (code !== null && !repeat) {
      unprocessed.inc({ code });
    }
  }
}

/** Undoes the transaction. */
class KeyTaken extends Error {}

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
