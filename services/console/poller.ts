import type { Publisher } from "../../lib/broker/publisher.js";
import { type QueueFamily, queueNames } from "../../lib/broker/topology.js";
import type { Logger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import type { Module } from "../../lib/runtime/module.js";
import { pause } from "../../lib/timing.js";
import type { Overview, Point, Queue } from "./contracts/overview.js";
import { ASKED_EVERY_MS, overviewOf } from "./domain/overview.js";
import { Source } from "./source.js";
import { bodyOfAction, runningActions } from "./store/action.js";
import { readPulse } from "./store/pulse.js";
import { unfinishedRuns } from "./store/run.js";
import { readStanding } from "./store/standing.js";

export interface PollerOptions {
  readonly pool: Pool;
  readonly publisher: Pick<Publisher, "lookAt">;
  readonly modules: readonly Pick<Module, "name" | "queues">[];
  readonly pollMs: number;
  /** A server that does not answer within this keeps nobody from hearing of the others. */
  readonly patienceMs?: number;
  /** Whether somebody looks. */
  readonly watched: () => boolean;
  /** Told of each look. */
  readonly onLook: (overview: Overview) => void;
  readonly logger: Logger;
}

/** While nobody looks: so that charts begin before the page was opened. */
const UNWATCHED_MS = 10_000;
const PATIENCE_MS = 1_000;
/** A question that fails ends the channel on which it was asked: a broker that is just coming back is not asked at once. */
const BROKER_AFTER_FAILURE_MS = 10_000;
/** Five minutes and more at the usual pace. */
const POINTS = 200;

/** Asks how it stands, for all who look. There is one of it in a process, however many pages are open. */
export class Poller implements Part {
  readonly name = "look at how it stands";
  readonly #options: PollerOptions;
  readonly #stopping = new AbortController();
  readonly #pulse: Source<Awaited<ReturnType<typeof readPulse>>>;
  readonly #runs: Source<Awaited<ReturnType<typeof lookAtRuns>>>;
  readonly #standing: Source<Awaited<ReturnType<typeof readStanding>>>;
  readonly #queues: Source<readonly Queue[]>;
  readonly #history: Point[] = [];
  #looking: Promise<Overview> | undefined;
  #latest: { readonly overview: Overview; readonly atMs: number } | undefined;
  /** Goes on where a process before this one has ended, so that no id comes twice. */
  #sequence = Date.now();

  constructor(options: PollerOptions) {
    const { pool, publisher, modules, logger } = options;
    this.#options = options;
    const queues = queuesOf(modules);
    const own = { logger, stopping: this.#stopping.signal };
    this.#pulse = new Source({ ...own, name: "PostgreSQL", ask: () => readPulse(pool) });
    this.#runs = new Source({ ...own, name: "PostgreSQL (runs)", ask: () => lookAtRuns(pool) });
    this.#standing = new Source({
      ...{ ...own, name: "PostgreSQL (figures)", everyMs: ASKED_EVERY_MS },
      ask: () => readStanding(pool),
    });
    this.#queues = new Source({
      ...{ ...own, name: "RabbitMQ", afterFailureMs: BROKER_AFTER_FAILURE_MS },
      ask: () =>
        Promise.all(queues.map(async (queue) => ({ ...queue, ...(await publisher.lookAt(queue.name)) }))),
    });
  }

  async start(): Promise<void> {
    void this.#lookOn();
  }

  /** A question that is under way holds nothing, and may never be answered. */
  async stop(): Promise<void> {
    this.#stopping.abort();
  }

  /** How it stands, no older than two looks. */
  async overview(): Promise<Overview> {
    const { pollMs } = this.#options;
    const latest = this.#latest;
    return latest !== undefined && performance.now() - latest.atMs < 2 * pollMs
      ? latest.overview
      : this.#look();
  }

  /** Oldest first. */
  get history(): readonly Point[] {
    return this.#history;
  }

  /** As the broker told them last. */
  get queues(): { readonly items: readonly Queue[] | undefined; readonly asOf: string | null } {
    return { items: this.#queues.value, asOf: this.#queues.state.as_of };
  }

  /** By the clock, not by how long it took; in small steps while nobody looks, so that whoever comes does not wait. */
  async #lookOn(): Promise<void> {
    const { signal } = this.#stopping;
    const { pollMs, watched } = this.#options;
    while (!signal.aborted) {
      const begunMs = performance.now();
      await this.#look();
      await pause(Math.max(0, begunMs + pollMs - performance.now()), signal);
      while (!signal.aborted && !watched() && performance.now() < begunMs + UNWATCHED_MS) {
        await pause(pollMs, signal);
      }
    }
  }

  /** One look at a time. */
  #look(): Promise<Overview> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<Overview> {
    const asked = [this.#pulse, this.#runs, this.#standing, this.#queues].map((source) => source.ask());
    await Promise.race([
      Promise.all(asked),
      pause(this.#options.patienceMs ?? PATIENCE_MS, this.#stopping.signal),
    ]);
    this.#sequence += 1;
    const overview = overviewOf(
      {
        servers: { postgres: this.#pulse.state, rabbitmq: this.#queues.state },
        figures: { runs: this.#runs.state, standing: this.#standing.state },
        queues: this.#queues.value,
        pulse: this.#pulse.value,
        standing: this.#standing.value,
        runs: this.#runs.value?.runs,
        actions: this.#runs.value?.actions,
      },
      { sequence: this.#sequence, at: new Date() },
    );
    this.#latest = { overview, atMs: performance.now() };
    this.#history.push(overview.point);
    this.#history.splice(0, this.#history.length - POINTS);
    this.#options.onLook(overview);
    return overview;
  }
}

async function lookAtRuns(pool: Pool) {
  const [runs, actions] = [await unfinishedRuns(pool), await runningActions(pool)];
  return { runs, actions: actions.map(bodyOfAction) };
}

/** Each queue once; those of a service share rungs and dead letters. */
function queuesOf(modules: PollerOptions["modules"]): readonly Pick<Queue, "name" | "module" | "kind">[] {
  const found = new Map<string, Pick<Queue, "name" | "module" | "kind">>();
  for (const { name: module, queues } of modules) {
    for (const family of queues) {
      for (const name of queueNames(family)) {
        found.set(name, { name, module, kind: kindOf(family, name) });
      }
    }
  }
  return [...found.values()];
}

function kindOf({ work, deadLetter }: QueueFamily, name: string): Queue["kind"] {
  if (name === deadLetter) {
    return "dead_letters";
  }
  return name === work ? "work" : "retry";
}
