import { codeOf, messageOf, PlatformError } from "../../lib/errors.js";
import { repeated } from "../../lib/http/idempotency.js";
import type { Logger } from "../../lib/observability/log.js";
import { isDataError } from "../../lib/postgres/data_error.js";
import type { Pool } from "../../lib/postgres/pool.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import { pause } from "../../lib/timing.js";
import type { Action } from "./contracts/actions.js";
import { ConsoleError } from "./errors.js";
import type { Doer } from "./platform_actions.js";
import {
  type ActionRow,
  type Ending,
  endAction,
  endLost,
  enterAction,
  findAction,
  findByKey,
  findRunning,
  type NewAction,
  RENEW_MS,
  renewLeases,
} from "./store/action.js";

const ANSWER_MS = 1_000;
const RETRY_MS = 1_000;
/** Of a process that ends: what stops in order is waited for. */
const DRAIN_MS = 5_000;
/** Between a look and the next one another action may have begun and ended. */
const TRIES = 5;

export interface ActionsOptions {
  readonly pool: Pool;
  readonly logger: Logger;
  /** How long whoever asks is kept waiting for the end. Most actions take less than the default, a second. */
  readonly answerMs?: number;
  /** How often leases are renewed, and looked at. */
  readonly tendMs?: number;
  /** How long after a failure how an action ended is written again. */
  readonly retryMs?: number;
}

/** Does things once, one at a time to the same thing, and leaves a row for each: who, what, why, and how it ended. */
export class Actions implements Part {
  readonly name = "actions of the console";
  readonly #options: ActionsOptions;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #tending: NodeJS.Timeout | undefined;
  /** Whether the leases could be renewed the last time. */
  #isTended = false;

  constructor(options: ActionsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#tending = setInterval(() => void this.#tend(), this.#options.tendMs ?? RENEW_MS).unref();
  }

  async drain(): Promise<void> {
    this.#stopping.abort();
    await Promise.race([
      Promise.allSettled(this.#running.values()),
      pause(this.#running.size === 0 ? 0 : DRAIN_MS),
    ]);
  }

  /** What still runs is taken for lost when its lease is over. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#tending);
  }

  /**
   * Does `work` unless it was done under this key: then the row of the first time is the answer.
   *
   * @returns the row, as it stands after a second at the latest
   * @throws ConsoleError CONSOLE_ACTION_RUNNING; CoreError IDEMPOTENCY_MISMATCH
   */
  async begin(action: NewAction, work: (doer: Doer) => Promise<object>): Promise<ActionRow> {
    const { row, isNew } = await this.#enter(action);
    if (!isNew) {
      return row;
    }
    const done = this.#carryOut(row, work);
    this.#running.set(row.actionId, done);
    void done.finally(() => this.#running.delete(row.actionId));
    await Promise.race([done, pause(this.#options.answerMs ?? ANSWER_MS)]);
    return (await findAction(this.#options.pool, row.actionId)) ?? row;
  }

  async #enter(action: NewAction): Promise<{ readonly row: ActionRow; readonly isNew: boolean }> {
    const { pool } = this.#options;
    for (let tries = 0; tries < TRIES; tries++) {
      const entered = await enterAction(pool, action);
      if (entered !== undefined) {
        return { row: entered, isNew: true };
      }
      const before = await findByKey(pool, action.key);
      if (before !== undefined) {
        requireSame(before, action.fingerprint);
        return { row: before, isNew: false };
      }
      const other = await findRunning(pool, action.thing);
      if (other !== undefined) {
        throw runningAlready(other);
      }
    }
    throw new Error(`no action could be entered on ${action.thing}`);
  }

  async #carryOut(row: ActionRow, work: (doer: Doer) => Promise<object>): Promise<void> {
    const { logger } = this.#options;
    const { actionId: id, kind, subject, who, why, traceId } = row;
    const line = { trace_id: traceId, action_id: id, kind, subject, who, why };
    logger.info(line, "action begun");
    const doer = { who, traceId, signal: this.#stopping.signal };
    // In a promise, because an action may be refused before it makes one.
    const ending = await Promise.resolve(doer)
      .then(work)
      .then(
        (result): Ending => ({ state: "done", result }),
        (error: unknown): Ending => {
          const failure = failureOf(error, traceId);
          logger.warn({ ...line, code: failure.code, err: error }, `action failed: ${messageOf(error)}`);
          return { state: "failed", failure };
        },
      );
    try {
      if (await this.#end(id, ending)) {
        logger.info({ ...line, state: ending.state }, "action ended");
      } else {
        logger.error({ ...line, state: ending.state }, "action ended, and its row had an end already");
      }
    } catch (error) {
      logger.error({ ...line, code: codeOf(error) }, `how the action ended is not kept: ${messageOf(error)}`);
    }
  }

  /** The database may be away for a while; until the row has its end the action counts as running, and its lease is renewed. */
  async #end(id: string, ending: Ending): Promise<boolean> {
    const { pool, retryMs = RETRY_MS } = this.#options;
    for (;;) {
      try {
        return await endAction(pool, id, ending);
      } catch (error) {
        if (isDataError(error) || this.#stopping.signal.aborted) {
          throw error;
        }
      }
      await pause(retryMs, this.#stopping.signal);
    }
  }

  /**
   * What cannot be done now is done the next time: a lease outlasts two of them. While the database was away nobody could renew:
   * whose lease is over then has until the time after next before it is taken for dead.
   */
  async #tend(): Promise<void> {
    const { pool } = this.#options;
    const wasTended = this.#isTended;
    this.#isTended = false;
    try {
      await renewLeases(pool, [...this.#running.keys()]);
      if (wasTended) {
        await endLost(pool, LOST);
      }
      this.#isTended = true;
    } catch {
      // The next time.
    }
  }
}

const LOST: NonNullable<Action["failure"]> = {
  code: "CONSOLE_ACTION_LOST" satisfies keyof typeof ConsoleError.table,
  detail: "The process that did it has ended.",
  hint: "Look at how it stands before it is done again.",
};

/** @throws CoreError IDEMPOTENCY_MISMATCH */
function requireSame({ fingerprint }: ActionRow, asked: Buffer): void {
  repeated({ fingerprint, status: 200, headers: {}, answer: "" }, asked);
}

function runningAlready({ kind, subject, who, begunAt, actionId }: ActionRow): ConsoleError {
  const since = begunAt.toISOString();
  return new ConsoleError("CONSOLE_ACTION_RUNNING", `${who} does ${kind} to ${subject} since ${since}.`, {
    hint: "Wait until it has ended.",
    members: { action_id: actionId, who, since },
  });
}

/** What nobody foresaw tells nothing of its text; the log has it. */
function failureOf(error: unknown, traceId: string): NonNullable<Action["failure"]> {
  return error instanceof PlatformError
    ? { code: error.code, detail: error.message, hint: error.hint ?? null }
    : {
        code: codeOf(error) ?? "INTERNAL",
        detail: `Something went wrong; the log tells what, under ${traceId}.`,
        hint: null,
      };
}
