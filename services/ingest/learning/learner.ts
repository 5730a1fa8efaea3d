import { newId } from "../../../lib/domain/ids.js";
import { codeOf } from "../../../lib/errors.js";
import type { Logger } from "../../../lib/observability/log.js";
import type { Instruments } from "../../../lib/observability/registry.js";
import { type Pool, transaction } from "../../../lib/postgres/pool.js";
import {
  claimFamily,
  enterCall,
  enterSamples,
  holdsFamily,
  loadFamily,
  recentCalls,
  releaseFamily,
  saveMappings,
  saveSamples,
  unsettle,
} from "../store/learning.js";
import { type Call, Family, type Learned, type Sample } from "./family.js";
import { Lanes } from "./lanes.js";
import type { learningMetrics } from "./metrics.js";
import type { Model, ModelReply } from "./model.js";
import { promptFor } from "./prompt.js";

export interface LearnerOptions {
  readonly pool: () => Pool;
  readonly model: Model;
  /** A call takes no longer, in milliseconds, its repetitions included. */
  readonly callMs: number;
  readonly callsPerHour: number;
  readonly metrics: Instruments<typeof learningMetrics>;
  readonly logger: Logger;
  /** Called when a family's mappings are there, or gone, or nobody is asked about some of its events any more. */
  readonly changed: (family: string) => Promise<void>;
}

/** Families in hand. A sender may make names of providers up: what is not learned now is when its events are tried again. */
const MAX_FAMILIES = 100;
/** Of them at work at a time: each has a statement under way, or a call. */
const AT_ONCE = 8;

/** Asks a model about families of events, one call a family at a time, whichever process it is. */
export class Learner {
  readonly #options: LearnerOptions;
  readonly #offered = new Map<string, Map<string, Sample>>();
  readonly #turns = new Map<string, Promise<void>>();
  readonly #lanes = new Lanes(AT_ONCE);

  constructor(options: LearnerOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is to be asked about the family any more, or nobody can be. Never rejects. */
  learn(family: string, samples: readonly Sample[] = []): Promise<void> {
    if (!this.#turns.has(family) && this.#turns.size >= MAX_FAMILIES) {
      return Promise.resolve();
    }
    const offered = this.#offered.get(family) ?? new Map<string, Sample>();
    for (const sample of samples) {
      offered.set(sample.eventId, sample);
    }
    this.#offered.set(family, offered);
    const turn = this.#turns.get(family) ?? this.#lanes.run(() => this.#take(family));
    this.#turns.set(family, turn);
    return turn;
  }

  /** Waits for the calls under way. */
  async end(): Promise<void> {
    await Promise.all(this.#turns.values());
  }

  async #take(family: string): Promise<void> {
    try {
      do {
        const samples = [...(this.#offered.get(family)?.values() ?? [])];
        this.#offered.delete(family);
        if (samples.length > 0) {
          await enterSamples(this.#options.pool(), family, samples);
        }
        while (await this.#step(family)) {
          // One call brought something: the next one may.
        }
      } while (this.#offered.has(family));
    } catch (error) {
      this.#options.logger.warn({ code: codeOf(error), err: error }, "a turn of learning failed");
    } finally {
      this.#turns.delete(family);
    }
  }

  /** @returns whether another call may bring something */
  async #step(name: string): Promise<boolean> {
    const { pool, model, callMs } = this.#options;
    const claim = newId();
    if (!(await claimFamily(pool(), name, { claim, leaseMs: callMs + 10_000 }))) {
      return false;
    }
    let what: "idle" | "learned" | "failed" = "idle";
    try {
      const family = new Family(name, await loadFamily(pool(), name));
      const call = model.waitMs === 0 && (await this.#mayCall()) ? family.call() : undefined;
      if (call === undefined) {
        // Which mapping reads a new event is known now.
        await saveSamples(pool(), name, family.samples);
        return false;
      }
      const learned = await this.#ask(name, call, claim);
      what = learned.outcome === "failed" || learned.outcome === "refused" ? "failed" : "learned";
      return what === "learned";
    } finally {
      await releaseFamily(pool(), name, claim, what);
    }
  }

  async #mayCall(): Promise<boolean> {
    const { pool, callsPerHour } = this.#options;
    return (await recentCalls(pool())) < callsPerHour;
  }

  async #ask(name: string, call: Call, claim: string): Promise<Learned> {
    const { pool, model, metrics, changed } = this.#options;
    const end = metrics.callSeconds.startTimer();
    const startedAt = performance.now();
    const reply = await model.ask(promptFor(call.samples));
    end();
    const ms = Math.round(performance.now() - startedAt);
    const learned = await transaction(pool(), async (tx) => {
      if (!(await holdsFamily(tx, name, claim))) {
        return LOST;
      }
      const family = new Family(name, await loadFamily(tx, name));
      // A model that cannot be reached says nothing of an event: it is asked about it again.
      const said =
        reply.kind === "unreachable"
          ? LOST
          : family.learn(call, reply.kind === "proposal" ? reply.proposal : undefined);
      await saveMappings(tx, family.weighed, null);
      await unsettle(tx, name, family.unsettled);
      await saveSamples(tx, name, family.samples);
      await enterCall(tx, { ...detailOf(name, call, reply, said), ms });
      return said;
    });
    metrics.calls.inc({ purpose: call.purpose, outcome: learned.outcome });
    if (reply.kind !== "unreachable") {
      await changed(name);
    }
    return learned;
  }
}

const LOST: Learned = { outcome: "failed", refusals: [] };

function detailOf(family: string, { purpose }: Call, reply: ModelReply, { outcome, refusals }: Learned) {
  const why = reply.kind === "proposal" ? refusals.join("; ") : `${reply.kind}: ${reply.why}`;
  return { family, purpose, outcome, detail: why || null, tokens: reply.tokens };
}
