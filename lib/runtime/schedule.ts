/** Of an interval: installations that were started together do not stay together. */
const JITTER_SHARE = 0.05;
/** After a failure: soon, then ever more seldom, but no less often than on time. */
const RETRY = { firstMs: 15_000, mostMs: 900_000 };

export interface Task {
  /** 0: never. */
  readonly intervalMs: number;
  /** When it last succeeded, in ms since 1970; null: never, as far as is known. */
  readonly lastMs: number | null;
  /** In a row, until now. */
  readonly failures: number;
  /** When it last failed; only read after failures. */
  readonly failedMs: number;
}

/**
 * When a task is due, in ms since 1970; Infinity for never. Where a time is still to come (a clock was set), the task is due now.
 *
 * @param random 0 … 1, the same for one waiting.
 */
export function dueAt(task: Task, random: number, nowMs: number): number {
  const { intervalMs, lastMs, failures, failedMs } = task;
  if (intervalMs === 0) {
    return Number.POSITIVE_INFINITY;
  }
  if (failures > 0) {
    if (failedMs > nowMs) {
      return nowMs;
    }
    const bound = Math.min(RETRY.mostMs, intervalMs, RETRY.firstMs * 2 ** (failures - 1));
    return failedMs + bound * (0.5 + random / 2);
  }
  return lastMs === null || lastMs > nowMs
    ? 0
    : lastMs + intervalMs * (1 + (random - 0.5) * 2 * JITTER_SHARE);
}
