import { isatty } from "node:tty";
import { formatCount, formatSeconds } from "../../lib/cli/table.js";
import { CoreError } from "../../lib/core_errors.js";
import { messageOf, type PlatformError } from "../../lib/errors.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { say } from "../../lib/process/stderr.js";
import { verdictOf } from "../../lib/retry.js";
import { pause } from "../../lib/timing.js";
import { EtlError } from "../errors.js";
import { isOver } from "../ledger/run.js";
import { type RunStatus, runStatus, STEPS } from "../runs/status.js";
import { STALLED_S, stuck } from "../runs/stuck.js";

const LINE_EVERY_MS = 3_000;
/** A run's end is noticed when at most a tenth of its time has gone by since, and a long one's after a quarter of a second. */
const LOOK_EVERY = { share: 0.1, atLeastMs: 50, atMostMs: 250 };
const STALLED_MS = STALLED_S * 1_000;

/**
 * Shows the runs' progress on stderr until all are done: bars on a terminal, a line every few seconds elsewhere.
 *
 * @throws PlatformError RUN_FAILED when a step has failed for good or nothing has moved for ten minutes, INTERRUPTED on Ctrl-C (the runs go on).
 */
export async function watchRuns(
  pool: Pool,
  runIds: readonly string[],
  signal: AbortSignal,
): Promise<RunStatus[]> {
  // The bars are loaded where there is a terminal to draw them on.
  const display = isatty(2) ? new (await import("./bars.js")).Bars() : new Lines();
  const began = Date.now();
  let moved = { at: began, mark: "" };
  try {
    for (;;) {
      const stands = Date.now() - moved.at > STALLED_MS;
      const runs = await runStatus(pool, runIds).catch((error: unknown) => {
        // The worker waits until a server is back or has room again, so what it does is worth being watched.
        if (stands || verdictOf(error) !== "outage") {
          throw error;
        }
        display.note(`waiting for a server that is away: ${messageOf(error)}`);
      });
      if (runs !== undefined) {
        display.show(runs);
        if (runs.every((run) => isOver(run.state))) {
          return runs;
        }
        const failed = runs.find(({ failures }) => failures.length > 0);
        if (failed !== undefined) {
          const { why = "", todo } = stuck(failed) ?? {};
          throw new EtlError("RUN_FAILED", why, { hint: todo });
        }
        const mark = JSON.stringify(runs.map((run) => [run.rowsDone, run.months]));
        if (mark !== moved.mark) {
          moved = { at: Date.now(), mark };
        } else if (stands) {
          throw stalled(runs);
        }
      }
      if (signal.aborted) {
        throw new CoreError("INTERRUPTED", "stopped watching; the runs go on.");
      }
      const { share, atLeastMs, atMostMs } = LOOK_EVERY;
      const tenthMs = (Date.now() - began) * share;
      await pause(Math.min(atMostMs, Math.max(atLeastMs, tenthMs)), signal);
    }
  } finally {
    display.stop();
  }
}

/** One line of progress. */
function describe(run: RunStatus): string {
  const done = STEPS.map((step) => `${step} ${percent(run.rowsDone[step], run.rows)}`).join(", ");
  return `${run.run} ${run.state}: ${done} of ${formatCount(run.rows)} rows, ${pace(run)}`;
}

function pace(run: RunStatus): string {
  const eta = timeToGo(run);
  return `${formatCount(run.rowsPerS)} rows/s${eta && `, ${eta} to go`}`;
}

/** Empty when it says nothing. */
export function timeToGo(run: RunStatus): string {
  return run.etaS === null || isOver(run.state) ? "" : formatSeconds(run.etaS);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "100%" : `${Math.floor((part / whole) * 100)}%`;
}

function stalled(runs: readonly RunStatus[]): PlatformError {
  const names = runs.filter((run) => !isOver(run.state)).map((run) => run.run);
  return new EtlError("RUN_FAILED", `${names.join(", ")}: nothing has moved for ten minutes.`, {
    hint: "Is a worker running (payments doctor)? Then look into etl_queue.dlq, and try: payments resume RUN.",
  });
}

class Lines {
  #shownAt = 0;
  #last = "";

  show(runs: readonly RunStatus[]): void {
    const over = runs.every((run) => isOver(run.state));
    if (over || Date.now() - this.#shownAt >= LINE_EVERY_MS) {
      this.#shownAt = Date.now();
      this.note(runs.map(describe).join("\n"));
    }
  }

  note(text: string): void {
    if (text !== this.#last && text !== "") {
      say(text);
    }
    this.#last = text;
  }

  stop(): void {}
}
