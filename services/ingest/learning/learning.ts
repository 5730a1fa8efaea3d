import { bulkhead } from "cockatiel";
import type { Logger } from "../../../lib/observability/log.js";
import type { Instruments } from "../../../lib/observability/registry.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import type { Chore } from "../../../lib/runtime/housekeeping.js";
import type { Part } from "../../../lib/runtime/lifecycle.js";
import { within } from "../../../lib/timing.js";
import type { Normalised } from "../domain/normalised.js";
import type { RuleSet } from "../domain/rule_set.js";
import type { Body, Normaliser } from "../normaliser.js";
import { renormalise } from "../renormalise.js";
import {
  bodiesPending,
  bodiesToReadAgain,
  dropOldSamples,
  mappingsInForce,
  openFamilies,
  samplesGivenUp,
  settled,
  type Unsettled,
  unsettledLayouts,
} from "../store/learning.js";
import type { Sample } from "./family.js";
import { Knowledge, type Offer, understood } from "./knowledge.js";
import { Learner } from "./learner.js";
import type { learningMetrics } from "./metrics.js";
import type { Model } from "./model.js";

export interface LearningOptions {
  readonly pool: () => Pool;
  /** Undefined: nobody is asked, and events are read by what is known. */
  readonly model: Model | undefined;
  readonly rules: RuleSet;
  /** How long a request waits for a model. */
  readonly waitMs: number;
  readonly callMs: number;
  readonly callsPerHour: number;
  readonly metrics: Instruments<typeof learningMetrics>;
  readonly logger: Logger;
}

/** What other processes learned is known here so soon. */
const REFRESH_MS = 2_000;
const END_MS = 1_000;
const SAMPLES_KEPT_DAYS = 30;
const DAY_MS = 86_400_000;
/** Of events that are read anew. */
const PAGE = 500;
const FIRST = "00000000-0000-0000-0000-000000000000";
/** More that were stored within one refresh are tried again as others are, in five minutes. */
const STORED = 10_000;
/** Families that a refresh has asked about. */
const OPENED = 20;
/** More bodies at once are a batch or a report: nobody waits for a model because of them. */
const AWAITED = 20;

/** Understands by rules, then by learned mappings; asks a model about the rest, and has events read anew when it knows. */
export class Learning implements Normaliser {
  readonly #options: LearningOptions;
  readonly #knowledge = new Knowledge();
  readonly #learner: Learner | undefined;
  /** Bodies that were stored as pending: what they wait for may have been learned while they were on their way. */
  #stored: string[] = [];
  /** Events are read anew one page after the other: two at once would wait for each other's rows. */
  readonly #readings = bulkhead(1, Number.POSITIVE_INFINITY);

  constructor(options: LearningOptions) {
    this.#options = options;
    const { model } = options;
    this.#learner = model && new Learner({ ...options, model, changed: (family) => this.#changed(family) });
  }

  /** As far as it is known, asking nobody: for events that are read anew. */
  get known(): Normaliser {
    return { normalise: async (bodies) => bodies.map((body) => this.#read(body)) };
  }

  readonly normalise: Normaliser["normalise"] = async (bodies) => {
    const { read, isOpen, turns } = this.#understand(bodies);
    const isAwaited = isOpen && bodies.length <= AWAITED && bodies.some(({ source }) => source === "api");
    if (!isAwaited) {
      return read;
    }
    await within(this.#options.waitMs, Promise.all(turns), () => new Error("later")).catch(() => undefined);
    return bodies.map((body, i) => (isPending(read[i] ?? []) ? this.#read(body) : (read[i] ?? [])));
  };

  /** By what is known; a model is asked about the rest, for which nobody waits here. */
  #understand(bodies: readonly Body[]) {
    const offers: Offer[] = [];
    const read = bodies.map((body) => this.#read(body, (offer) => offers.push(offer)));
    const learner = this.#learner;
    const turns = learner
      ? [...samplesByFamily(offers)].map(([family, samples]) => learner.learn(family, samples))
      : [];
    return { read, turns, isOpen: offers.some(({ isOpen }) => isOpen) };
  }

  /** For health. */
  get ai(): "up" | "down" | "off" {
    const { model } = this.#options;
    if (model === undefined) {
      return "off";
    }
    return model.isDown ? "down" : "up";
  }

  /** Stopped before the pool: a call that is not back soon is asked again by whoever runs then. */
  get part(): Part {
    return {
      name: "learning",
      stop: () =>
        within(END_MS, this.#learner?.end() ?? Promise.resolve(), () => new Error("later")).catch(
          () => undefined,
        ),
    };
  }

  readonly stored = (bodyIds: readonly string[]): void => {
    if (this.#learner !== undefined && this.#stored.length < STORED) {
      this.#stored.push(...bodyIds);
    }
  };

  /** `first`: a process knows what is learned before it takes anything in. */
  get chores(): readonly Chore[] {
    return [
      { name: "learned mappings", everyMs: REFRESH_MS, first: true, run: () => this.#refresh() },
      {
        name: "samples of mappings",
        everyMs: DAY_MS,
        run: () => dropOldSamples(this.#options.pool(), SAMPLES_KEPT_DAYS),
      },
    ];
  }

  /** The events of a provider that wait for a model. */
  async #readPending(provider: string): Promise<void> {
    for (let after: string | undefined = FIRST; after !== undefined; ) {
      const events = await bodiesPending(this.#options.pool(), provider, after, PAGE);
      await this.#readAgain([...new Set(events.map(({ bodyId }) => bodyId))]);
      after = events.length === PAGE ? events.at(-1)?.id : undefined;
    }
  }

  async #readAgain(bodyIds: readonly string[]): Promise<void> {
    const again: Normaliser = { normalise: async (bodies) => this.#understand(bodies).read };
    if (bodyIds.length > 0) {
      await renormalise(this.#options.pool(), again, bodyIds, "model");
    }
  }

  /** Loads what is known. */
  async load(): Promise<void> {
    const pool = this.#options.pool();
    this.#knowledge.set(await mappingsInForce(pool), await samplesGivenUp(pool));
  }

  /** Has the events read anew of mappings that lost their place, whoever noted it. */
  settle(): Promise<void> {
    return this.#readings.execute(() => this.#settleOnce());
  }

  async #settleOnce(): Promise<void> {
    const pool = this.#options.pool();
    const since = new Date();
    const layouts = await unsettledLayouts(pool);
    if (layouts.length === 0) {
      return;
    }
    const again: Normaliser = { normalise: async (bodies) => this.#understand(bodies).read };
    for (let after: string | undefined = FIRST; after !== undefined; ) {
      const events = await bodiesToReadAgain(pool, layouts, after, PAGE);
      const bodies = [...new Set(events.map(({ bodyId }) => bodyId))];
      if (bodies.length > 0) {
        await renormalise(pool, again, bodies, causeOf(layouts));
      }
      after = events.length === PAGE ? events.at(-1)?.id : undefined;
    }
    if (layouts.length > 0) {
      await settled(
        pool,
        layouts.map(({ layout }) => layout),
        since,
      );
    }
  }

  async #refresh(): Promise<void> {
    const pool = this.#options.pool();
    await this.load();
    await this.#readings.execute(() => this.#readStored());
    for (const family of this.#learner ? await openFamilies(pool, OPENED) : []) {
      void this.#learner?.learn(family);
    }
    await this.settle();
  }

  /** Once each: what is learned later has them read anew. */
  async #readStored(): Promise<void> {
    const stored = this.#stored;
    this.#stored = [];
    for (let from = 0; from < stored.length; from += PAGE) {
      await this.#readAgain(stored.slice(from, from + PAGE));
    }
  }

  async #changed(family: string): Promise<void> {
    await this.load();
    await this.#readings.execute(() => this.#readPending(providerOf(family)));
    await this.settle();
  }

  #read(body: Body, offer?: (offer: Offer) => void): readonly Normalised[] {
    const { rules } = this.#options;
    return understood(body, this.#knowledge, { rules, isPending: this.#learner !== undefined, offer });
  }
}

const causeOf = (layouts: readonly Unsettled[]): string => {
  if (layouts.length === 0) {
    return "model";
  }
  return layouts.some(({ isRejected }) => isRejected) ? "mapping taken back" : "mapping decided";
};

/** A family's name has its source and its format at the end. */
const providerOf = (family: string): string => family.split(" ").slice(0, -2).join(" ");

const isPending = (events: readonly Normalised[]): boolean =>
  events.some(({ unprocessed }) => unprocessed?.code === "AI_PENDING");

function samplesByFamily(offers: readonly Offer[]): ReadonlyMap<string, readonly Sample[]> {
  const families = new Map<string, Sample[]>();
  for (const { family, sample } of offers) {
    const samples = families.get(family) ?? [];
    samples.push(sample);
    families.set(family, samples);
  }
  return families;
}
