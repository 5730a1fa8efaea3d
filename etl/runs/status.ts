import type { Queryable } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { EtlError } from "../errors.js";
import { type Failure, standingFailures } from "../ledger/failure.js";
import { isOver, type RunState } from "../ledger/run.js";

/** What a run's progress is counted by. */
export const STEPS = ["stage", "clean", "agg"] as const;

/** Progress of one run. Rows are generated rows unless named otherwise; step seconds are busy time summed over workers. */
export interface RunStatus {
  readonly run: string;
  readonly state: RunState;
  readonly rows: number;
  readonly chunks: { readonly total: number; readonly staged: number; readonly cleaned: number };
  readonly months: { readonly total: number; readonly done: number };
  readonly rowsDone: { readonly stage: number; readonly clean: number; readonly agg: number };
  readonly accepted: number;
  readonly repaired: number;
  readonly rejected: number;
  readonly busyS: { readonly stage: number; readonly clean: number; readonly agg: number };
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** From planning to the end, or to now. */
  readonly elapsedS: number;
  /** Through all three steps, since planning; 0 before anything is done. */
  readonly rowsPerS: number;
  /** Since a chunk or a month was done, or the run was entered; 0 when the run is over. */
  readonly idleS: number;
  /** Steps that failed for good and that the run still waits for. */
  readonly failures: readonly Failure[];
  /** Seconds to go at the average pace so far; null when that says nothing. */
  readonly etaS: number | null;
}

interface StatusRow {
  run_id: string;
  state: RunState;
  rows: number;
  chunks_total: number;
  months_total: number;
  months_done: number;
  created_at: Date;
  finished_at: Date | null;
  elapsed_s: number;
  chunks_staged: number;
  chunks_cleaned: number;
  rows_staged: number;
  rows_cleaned: number;
  accepted: number;
  repaired: number;
  rejected: number;
  stage_s: number;
  clean_s: number;
  rows_aggregated: number;
  agg_s: number;
  idle_s: number;
}

/** @throws PlatformError RUN_UNKNOWN when a run is named and there is none. */
export async function runStatus(db: Queryable, runId: string | null): Promise<RunStatus[]> {
  const { rows } = await db.query<StatusRow>(loadSql("run_status"), [runId]);
  if (runId !== null && rows.length === 0) {
    throw new EtlError("RUN_UNKNOWN", `there is no run ${runId}.`, {
      hint: "List them: payments status.",
    });
  }
  const failures = await standingFailures(db);
  return rows.map((row) => toStatus(row, failures.get(row.run_id) ?? []));
}

function toStatus(row: StatusRow, failures: readonly Failure[]): RunStatus {
  const share =
    row.rows === 0 ? 1 : (row.rows_staged + row.rows_cleaned + row.rows_aggregated) / (3 * row.rows);
  return {
    run: row.run_id,
    state: row.state,
    rows: row.rows,
    chunks: { total: row.chunks_total, staged: row.chunks_staged, cleaned: row.chunks_cleaned },
    months: { total: row.months_total, done: row.months_done },
    rowsDone: { stage: row.rows_staged, clean: row.rows_cleaned, agg: row.rows_aggregated },
    accepted: row.accepted,
    repaired: row.repaired,
    rejected: row.rejected,
    busyS: { stage: row.stage_s, clean: row.clean_s, agg: row.agg_s },
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    elapsedS: row.elapsed_s,
    rowsPerS: row.elapsed_s > 0 ? Math.round((share * row.rows) / row.elapsed_s) : 0,
    idleS: isOver(row.state) ? 0 : row.idle_s,
    failures,
    etaS: isOver(row.state) ? 0 : secondsToGo(row.elapsed_s, share),
  };
}

/** At the average pace so far; null before anything is done. */
function secondsToGo(elapsedS: number, share: number): number | null {
  return share > 0 ? Math.round((elapsedS * (1 - share)) / share) : null;
}
