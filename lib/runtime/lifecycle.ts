/** How it stands with what a process needs before it can take work. */
export type Dependencies = Readonly<Record<string, DependencyState>>;
type DependencyState = "up" | "down";

/** Anything that a process starts and stops: a pool, a publisher, a consumer, an HTTP server, a loop. */
export interface Part {
  /** For log lines, e.g. `consumer`. */
  readonly name: string;
  /** Resolves when it works; may wait for a server, until the process is told to stop. */
  readonly start?: () => Promise<void>;
  /** Takes nothing new and finishes what is in flight. */
  readonly drain?: () => Promise<void>;
  /** Frees everything. Called in any case, also before a start, in its middle, and after one that failed. */
  readonly stop: () => Promise<void>;
  readonly dependencies?: () => Promise<Dependencies>;
}

/** The parts of a process as one: started in order, drained and stopped in reverse. */
export class Lifecycle {
  readonly #stopping = new AbortController();
  readonly #parts: readonly Part[];

  /** @param partsOf gets a signal that fires at the beginning of `stop`. */
  constructor(partsOf: (stopping: AbortSignal) => readonly Part[]) {
    this.#parts = partsOf(this.#stopping.signal);
  }

  /** Ends between two parts when it is told to stop. @throws what the first part throws that cannot start; `stop` frees the others. */
  async start(): Promise<void> {
    for (const part of this.#parts) {
      if (this.#stopping.signal.aborted) {
        return;
      }
      await part.start?.();
    }
  }

  /** Drains and stops all parts, last first; one that fails does not keep the others. @throws the first failure. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const failures: unknown[] = [];
    for (const end of ["drain", "stop"] as const) {
      for (const part of this.#parts.toReversed()) {
        await part[end]?.().catch((error: unknown) => failures.push(error));
      }
    }
    if (failures.length > 0) {
      throw failures[0];
    }
  }

  dependencies(): Promise<Dependencies> {
    return dependenciesOf(this.#parts);
  }
}

/** Of all parts together; `down` wins where two name the same server. */
export async function dependenciesOf(parts: readonly Part[]): Promise<Dependencies> {
  const asked = await Promise.all(parts.map(async (part) => (await part.dependencies?.()) ?? {}));
  const all: Record<string, DependencyState> = {};
  for (const states of asked) {
    for (const [name, state] of Object.entries(states)) {
      if (all[name] !== "down") {
        all[name] = state;
      }
    }
  }
  return all;
}
