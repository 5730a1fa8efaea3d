import type { Queryable } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { type Failure, standingFailures } from "../ledger/failure.js";
import { type RunState, unknownRun } from "../ledger/run.js";

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

interface StatusRow extends Omit<RunStatus, "createdAt" | "finishedAt" | "failures"> {
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/**
 * @param runIds null for all runs
 * @throws PlatformError RUN_UNKNOWN
 */
export async function runStatus(db: Queryable, runIds: readonly string[] | null): Promise<RunStatus[]> {
  const { rows } = await db.query<StatusRow>(loadSql("run_status"), [runIds]);
  const unknown = runIds?.find((runId) => !rows.some(({ run }) => run === runId));
  if (unknown !== undefined) {
    throw unknownRun(unknown);
  }
  const failures = await standingFailures(db);
  return rows.map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
    failures: failures.get(row.run) ?? [],
  }));
}
