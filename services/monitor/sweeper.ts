import { newId } from "../../lib/domain/ids.js";
import { codeOf } from "../../lib/errors.js";
import { isDataError } from "../../lib/postgres/data_error.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import type { Service } from "../../lib/runtime/service_process.js";
import { pause } from "../../lib/timing.js";
import { markerMessage } from "../contracts/report.js";
import type { Decision } from "./domain/decide.js";
import { countDue, type Due, decideDue, giveUpKnowing } from "./store/due.js";
import { forgetMarker, noteMarker } from "./store/marker.js";

const BATCH = 500;
/** Of windows that fail alone, before a sweep goes on with what else there is to do. */
const MOST_FAILURES = 10;
/** Between two looks whether a marker is back. */
const LOOK_EVERY_MS = 100;
/** Between two markers of a sweep: the one before tells nothing of windows that have ended since. */
const MARK_EVERY_MS = 1_000;

export interface SweeperOptions extends Pick<Service, "pool" | "publisher" | "logger"> {
  readonly everyMs: number;
  readonly unknownAfterS: number;
  /** So long the broker must have been there without a break before a marker tells anything: reporters may come back later than we. */
  readonly settleMs: number;
  readonly webhook: boolean;
}

export interface Swept extends Due {
  readonly closed: number;
  readonly alert: number;
}

/**
 * Decides windows that are over, once all that was in the queue of reports is known to have come: a marker goes through the queue
 * behind it. Any number of processes may sweep at once.
 */
export class Sweeper implements Part {
  readonly name = "sweeper of windows";
  readonly #options: SweeperOptions;
  readonly #stopping = new AbortController();
  /** When the broker last failed to take a marker. */
  #failedMs = Number.NEGATIVE_INFINITY;
  #sweeping: Promise<void> | undefined;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#sweeping ??= this.#sweepOn();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#sweeping;
  }

  /** @param options how long it waits for what is on its way, and what ends that. */
  async sweep({ waitMs, ending }: { readonly waitMs: number; readonly ending: AbortSignal }): Promise<Swept> {
    const { pool, unknownAfterS: afterS, webhook, logger } = this.#options;
    const untilMs = performance.now() + waitMs;
    const sum = { closed: 0, alert: 0 };
    let due = await countDue(pool);
    let markedMs = Number.NEGATIVE_INFINITY;
    while (due.pending + due.unknown > 0) {
      if (performance.now() >= markedMs + MARK_EVERY_MS) {
        await this.#sendMarker();
        markedMs = performance.now();
      }
      const decided = await this.#decide();
      sum.closed += count(decided, "CLOSED");
      sum.alert += count(decided, "ALERT");
      if (decided.length < BATCH) {
        due = await countDue(pool);
        const isOver = due.pending + due.unknown === 0 || performance.now() >= untilMs || ending.aborted;
        if (isOver) {
          break;
        }
        await pause(LOOK_EVERY_MS, ending);
      }
    }
    if (due.pending > 0 && (await giveUpKnowing(pool, { afterS, webhook })) > 0) {
      due = await countDue(pool);
    }
    if (sum.alert > 0) {
      logger.warn(sum, "reports of windows lack");
    }
    return { ...sum, ...due };
  }

  /** Without the broker nothing is known to have come; what is over waits. */
  async #sendMarker(): Promise<void> {
    const { pool, publisher, settleMs, logger } = this.#options;
    const markerId = newId();
    const calmMs = Math.min(publisher.upForMs, performance.now() - this.#failedMs);
    if (!publisher.isWritable || calmMs < settleMs || !(await noteMarker(pool, markerId))) {
      return;
    }
    await publisher.publishAll([markerMessage(markerId)]).catch(async (error: unknown) => {
      logger.debug({ code: codeOf(error) }, "a marker was not sent");
      this.#failedMs = performance.now();
      await forgetMarker(pool, markerId); // It may have been, and would come ahead of what others could not send either.
    });
  }

  /** A batch that fails is decided one by one, in any order, so that one window keeps no other waiting. */
  async #decide(): Promise<readonly Decision[]> {
    const { pool, webhook, logger } = this.#options;
    try {
      return await decideDue(pool, { limit: BATCH, webhook });
    } catch (error) {
      if (!isDataError(error)) {
        throw error;
      }
      logger.warn({ code: codeOf(error) }, "windows could not be decided together; one by one");
    }
    const decisions: Decision[] = [];
    for (let failures = 0; failures < MOST_FAILURES && decisions.length < BATCH; ) {
      try {
        const decided = await decideDue(pool, { limit: 1, anyOrder: true, webhook });
        if (decided.length === 0) {
          break;
        }
        decisions.push(...decided);
      } catch (error) {
        failures += 1;
        logger.warn({ code: codeOf(error) }, "a window could not be decided");
      }
    }
    return decisions;
  }

  async #sweepOn(): Promise<void> {
    const { everyMs, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.sweep({ waitMs: everyMs, ending: signal }).catch((error: unknown) => {
        // Of a server that is away others say enough.
        logger[isDataError(error) ? "warn" : "debug"]({ code: codeOf(error) }, "windows were not swept");
      });
      await pause(everyMs, signal);
    }
  }
}

const count = (decided: readonly Decision[], state: Decision["state"]) =>
  decided.filter((each) => each.state === state).length;
