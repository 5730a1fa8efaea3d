import { EtlError } from "./errors.js";
import type { PlannedSpec } from "./spec.js";
import { type MonthHours, monthsOf } from "./world/calendar.js";

const HOUR_MS = 3_600_000;

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

/** A plan takes 8 ms for a year, 200 ms for a century, and each message of a run asks for the same one. */
const REMEMBERED_PLANS = 16;
const recentPlans = new Map<string, Plan>();

/**
 * Rows are spread over the months by their weight, a month's rows evenly over just enough chunks. Months without rows are
 * left out.
 */
export function planRun(spec: PlanSpec): Plan {
  const key = [spec.rows, spec.fromOn, spec.toOn, spec.chunkRows].join();
  let plan = recentPlans.get(key);
  if (plan === undefined) {
    plan = makePlan(spec);
    if (recentPlans.size >= REMEMBERED_PLANS) {
      recentPlans.clear();
    }
    recentPlans.set(key, plan);
  }
  return plan;
}

type PlanSpec = Pick<PlannedSpec, "rows" | "fromOn" | "toOn" | "chunkRows">;

function makePlan(spec: PlanSpec): Plan {
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
    if (rows > 0) {
      months.push({ ...month, rows, firstRow, firstChunk, chunks });
    }
    firstRow = endRow;
    firstChunk += chunks;
  }
  return { months, chunks: firstChunk };
}

/** @throws PlatformError CHUNK_UNKNOWN when the run has no such chunk. */
export function chunkOf(plan: Plan, spec: PlannedSpec, chunkNo: number): PlannedChunk {
  const month = plan.months.findLast((candidate) => candidate.firstChunk <= chunkNo);
  if (month === undefined || chunkNo >= plan.chunks) {
    throw new EtlError(
      "CHUNK_UNKNOWN",
      `chunk ${chunkNo} does not exist: the run has ${plan.chunks} chunks, counted from 0.`,
    );
  }
  // Evenly, the first few one row larger. Not rows × k / chunks, which passes 2^53 and then loses a row.
  const k = chunkNo - month.firstChunk;
  const base = Math.floor(month.rows / month.chunks);
  const larger = month.rows % month.chunks;
  const fromRow = base * k + Math.min(k, larger);
  const toRow = fromRow + base + (k < larger ? 1 : 0);
  return { month, chunkNo, fromRow, toRow, firstTxnId: spec.firstTxnId + month.firstRow + fromRow };
}

/** The part of a month that is within the run's window. */
export function timeOf(month: PlannedMonth): { readonly opens: Date; readonly closes: Date } {
  const endMs = month.startMs + (month.cumulative.length - 1) * HOUR_MS;
  return { opens: new Date(month.startMs), closes: new Date(endMs) };
}

function weightOf(month: MonthHours): number {
  return month.cumulative.at(-1) ?? 0;
}
