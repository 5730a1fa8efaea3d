import { Gatherer } from "../../lib/gatherer.js";
import type { Outbox } from "../../lib/messaging/outbox.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { type Arrival, type Entry, enterEvents, findFingerprints, keyOf } from "./store/new_event.js";

/** What became of an event: it is new, was told before, or is another one under an id that was used. */
export type Outcome = "accepted" | "duplicate" | "conflict";

/** By event, in their order; or the request was taken before, signature and all. */
export type Taken = readonly Outcome[] | "replayed";

/** Requests that come within so many milliseconds share a commit; see POST /payments, which does the same. */
const GROUP = { waitMs: 3, max: 100 };
/** A request of more events pays for a commit of its own. */
const LARGE = 100;

export interface IntakeOptions {
  readonly pool: Pool;
  readonly outbox: Outbox;
  /** Groups that are entered at a time. */
  readonly connections: number;
  /** When what nobody answers is told again. */
  readonly resendAfterS: number;
}

/** Takes in what partners tell, durably before it is answered, and publishes it. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #group: Gatherer<Arrival, Taken>;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#group = new Gatherer({
      ...GROUP,
      atOnce: options.connections,
      work: (arrivals) => this.#takeAll(arrivals),
    });
  }

  async take(arrival: Arrival): Promise<Taken> {
    if (arrival.entries.length <= LARGE) {
      return this.#group.add(arrival);
    }
    const [taken] = await this.#takeAll([arrival]);
    return taken as Taken;
  }

  async #takeAll(arrivals: readonly Arrival[]): Promise<readonly Taken[]> {
    const { pool, outbox, resendAfterS } = this.#options;
    const first = firstOfEach(arrivals);
    const { admitted, fresh, paying } = await enterEvents(pool, first, resendAfterS);
    const taken = first.filter((_, n) => admitted.has(n));
    const entries = taken.flatMap((arrival) => arrival.entries);
    const news = entries.filter(({ id }) => fresh.has(id));
    outbox.send(
      news.flatMap(({ id, told, payout }) =>
        payout !== undefined && paying.has(id) ? [told, payout.request] : [told],
      ),
    );
    const known = new Map(news.map((entry) => [keyOf(entry), entry.fingerprint]));
    const old = await findFingerprints(
      pool,
      entries.filter((entry) => !known.has(keyOf(entry))),
    );
    const outcomeOf = (entry: Entry): Outcome => {
      if (fresh.has(entry.id)) {
        return "accepted";
      }
      const key = keyOf(entry);
      const before = known.get(key) ?? (old.get(key) as Buffer);
      return entry.fingerprint.equals(before) ? "duplicate" : "conflict";
    };
    const admittedOnes = new Set(taken);
    return arrivals.map((arrival) =>
      admittedOnes.has(arrival) ? arrival.entries.map(outcomeOf) : "replayed",
    );
  }
}

/** Without those that are signed like one before them: a statement cannot tell two of its own rows apart. */
function firstOfEach(arrivals: readonly Arrival[]): readonly Arrival[] {
  const seen = new Set<string>();
  return arrivals.filter(({ webhook }) => {
    if (webhook === undefined) {
      return true;
    }
    const { source, webhookId, signedAt } = webhook;
    const signature = `${source} ${signedAt.getTime()} ${webhookId}`;
    return !seen.has(signature) && seen.add(signature);
  });
}
