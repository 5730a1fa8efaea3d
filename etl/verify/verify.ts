import type { Pool } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { getRun, listRuns, type Run } from "../ledger.js";
import { type MonthScope, verifyMonth } from "./month.js";
import type { CheckName, Difference, MonthReport, VerifyReport } from "./report.js";

/** Months checked at the same time; each is one sequential scan or two on one connection. */
const PARALLEL = 2;

interface FindingRow {
  run_id: string;
  chunk_no: number;
  class: string;
  expected: number;
  found: number;
}

/**
 * Proves that the data is what its runs describe, or says what differs. Reads only, and may run beside a load.
 *
 * @param runId checks this run and its months; otherwise all of them.
 * @throws PlatformError RUN_UNKNOWN
 */
export async function verify(pool: Pool, runId: string | undefined): Promise<VerifyReport> {
  const all = await listRuns(pool);
  const runs = runId === undefined ? all : [await getRun(pool, runId)];
  const ids = runs.map((run) => run.runId);
  const differences: Difference[] = [
    ...(await compareFindings(pool, "answer_key", ids)),
    ...(await compareFindings(pool, "rejects", ids)),
  ];
  const scopes = await monthScopes(pool, ids);
  const months: MonthReport[] = [];
  const queue = [...scopes];
  const work = async () => {
    for (let scope = queue.shift(); scope !== undefined; scope = queue.shift()) {
      const result = await verifyMonth(pool, scope);
      months.push(result.report);
      differences.push(...result.differences);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  differences.push(...(await verifyStructure(pool)));
  months.sort((a, b) => (a.month < b.month ? -1 : 1));
  return {
    ok: differences.length === 0,
    runs: ids,
    unfinishedRuns: runs.filter((run: Run) => run.state !== "done").map((run) => run.runId),
    months,
    rows: months.reduce((sum, month) => sum + month.rows, 0),
    differences,
  };
}

async function monthScopes(pool: Pool, runIds: readonly string[]): Promise<MonthScope[]> {
  const { rows } = await pool.query<MonthScope>(
    `SELECT month, bool_and(state = 'done') AS aggregates
     FROM etl.run_month
     WHERE month IN (SELECT month FROM etl.run_month WHERE run_id = ANY ($1))
     GROUP BY month ORDER BY month`,
    [runIds],
  );
  return rows;
}

async function compareFindings(
  pool: Pool,
  check: CheckName,
  runIds: readonly string[],
): Promise<Difference[]> {
  const { rows } = await pool.query<FindingRow>(loadSql(`verify_${check}`), [runIds]);
  return rows.map((row) => ({
    check,
    run: row.run_id,
    chunk: row.chunk_no,
    class: row.class,
    what: check === "rejects" ? "rows in txn_reject" : "rows of a class",
    expected: row.expected,
    found: row.found,
  }));
}

async function verifyStructure(pool: Pool): Promise<Difference[]> {
  const { rows } = await pool.query<{ month: string | null; what: string }>(loadSql("verify_structure"));
  return rows.map(({ month, what }) => ({ check: "structure", what, ...(month === null ? {} : { month }) }));
}
