import { PlatformError } from "../lib/errors.js";
import { type MonthHours, monthsOf } from "./generate/calendar.js";
import type { PlannedSpec } from "./spec.js";

/** A month of a run and the chunks that fill it. */
export interface PlannedMonth extends MonthHours {
  readonly rows: number;
  /** Rows of the run before this month. */
  readonly firstRow: number;
  readonly firstChunk: number;
  readonly chunks: number;
}

/** A run cut into months and chunks; a pure function of its spec, so it is computed where needed and never stored. */
export interface Plan {
  readonly months: readonly PlannedMonth[];
  readonly chunks: number;
}

/** One unit of work: rows [fromRow, toRow) of a month, which are also a stretch of its time. */
export interface PlannedChunk {
  readonly month: PlannedMonth;
  readonly chunkNo: number;
  /** Row numbers within the month. */
  readonly fromRow: number;
  readonly toRow: number;
  /** txn_id of the row fromRow. */
  readonly firstTxnId: number;
}

/**
 * Rows are spread over the months by their weight, a month's rows evenly over just enough chunks. Months without rows are
 * left out.
 */
export function planRun(spec: Pick<PlannedSpec, "rows" | "fromOn" | "toOn" | "chunkRows">): Plan {
  const hours = monthsOf(spec.fromOn, spec.toOn);
  const total = hours.reduce((sum, month) => sum + weightOf(month), 0);
  const months: PlannedMonth[] = [];
  let weight = 0;
  let firstRow = 0;
  let firstChunk = 0;
  for (const [index, month] of hours.entries()) {
    weight += weightOf(month);
    // Rounding the running share, not each month's, makes the months add up to the run exactly.
    const endRow = index === hours.length - 1 ? spec.rows : Math.round((weight / total) * spec.rows);
    const rows = endRow - firstRow;
    const chunks = Math.ceil(rows / spec.chunkRows);
    if (rows > 0) months.push({ ...month, rows, firstRow, firstChunk, chunks });
    firstRow = endRow;
    firstChunk += chunks;
  }
  return { months, chunks: firstChunk };
}

/** @throws PlatformError CHUNK_UNKNOWN when the run has no such chunk. */
export function chunkOf(plan: Plan, spec: PlannedSpec, chunkNo: number): PlannedChunk {
  const month = plan.months.findLast((candidate) => candidate.firstChunk <= chunkNo);
  if (month === undefined || chunkNo >= plan.chunks) {
    throw new PlatformError(
      "CHUNK_UNKNOWN",
      `chunk ${chunkNo} does not exist: the run has chunks 0..${plan.chunks - 1}.`,
    );
  }
  const k = chunkNo - month.firstChunk;
  const fromRow = Math.floor((month.rows * k) / month.chunks);
  const toRow = Math.floor((month.rows * (k + 1)) / month.chunks);
  return { month, chunkNo, fromRow, toRow, firstTxnId: spec.firstTxnId + month.firstRow + fromRow };
}

function weightOf(month: MonthHours): number {
  return month.cumulative.at(-1) ?? 0;
}
