import { codeOf, messageOf } from "../../lib/errors.js";
import type { Logger } from "../../lib/observability/log.js";
import type { ServerState } from "./domain/overview.js";

export interface SourceOptions<T> {
  /** For log lines, e.g. `PostgreSQL`. */
  readonly name: string;
  readonly ask: () => Promise<T>;
  readonly logger: Logger;
  /** It is not asked more often than this. */
  readonly everyMs?: number;
  /** Once it fires a failure is no news: the process ends. */
  readonly stopping?: AbortSignal;
  /** Nor so soon after it failed. */
  readonly afterFailureMs?: number;
}

/** Something that is asked again and again, one question at a time; what it said last stays, as old as it says. */
export class Source<T> {
  readonly #options: SourceOptions<T>;
  #value: T | undefined;
  #state: ServerState;
  #asking: Promise<void> | undefined;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(options: SourceOptions<T>) {
    this.#options = options;
    this.#state = { state: "unknown", since: new Date().toISOString(), as_of: null, code: null };
  }

  get value(): T | undefined {
    return this.#value;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Resolves when it has answered or failed, or is not due; a question that is under way is not asked twice. */
  ask(): Promise<void> {
    if (performance.now() < this.#notBeforeMs) {
      return Promise.resolve();
    }
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const { name, ask, logger, stopping, everyMs = 0, afterFailureMs = everyMs } = this.#options;
    try {
      this.#value = await ask();
      this.#turn("up", null);
      this.#notBeforeMs = performance.now() + everyMs;
    } catch (error) {
      const code = codeOf(error) ?? "INTERNAL";
      if (this.#state.state !== "away" && stopping?.aborted !== true) {
        logger.warn({ code }, `${name} does not tell how it stands: ${messageOf(error)}`);
      }
      this.#turn("away", code);
      this.#notBeforeMs = performance.now() + afterFailureMs;
    }
  }

  #turn(state: "up" | "away", code: string | null): void {
    const now = new Date().toISOString();
    const { state: before, since, as_of } = this.#state;
    this.#state = {
      state,
      since: state === before ? since : now,
      as_of: state === "up" ? now : as_of,
      code,
    };
  }
}
