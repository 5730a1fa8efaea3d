import { catalogueChanges } from "../../lib/postgres/catalogue.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { monthsOf } from "../ledger/reading.js";
import { getRun, isOver, listRuns, type Run } from "../ledger/run.js";
import { verifyMonth } from "./month.js";
import type { CheckName, Mismatch, MonthReport, VerifyReport } from "./report.js";

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
  const differences: Mismatch[] = [
    ...(await verifyLedger(pool, ids)),
    ...(await compareFindings(pool, "answer_key", ids)),
    ...(await compareFindings(pool, "rejects", ids)),
  ];
  const months: MonthReport[] = [];
  const queue = await monthsOf(pool, runId === undefined ? null : ids);
  const work = async () => {
    for (let month = queue.shift(); month !== undefined; month = queue.shift()) {
      const result = await verifyMonth(pool, month);
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
    unfinishedRuns: runs.filter((run: Run) => !isOver(run.state)).map((run) => run.runId),
    months,
    rows: months.reduce((sum, month) => sum + month.rows, 0),
    differences,
  };
}

async function verifyLedger(pool: Pool, runIds: readonly string[]): Promise<Mismatch[]> {
  const { rows } = await pool.query<{
    run_id: string;
    month: string | null;
    what: string;
    expected: number;
    found: number;
  }>(loadSql("verify_ledger"), [runIds]);
  return rows.map(({ run_id: run, month, what, expected, found }) => ({
    check: "ledger",
    run,
    ...(month === null ? {} : { month }),
    what,
    expected,
    found,
  }));
}

async function compareFindings(pool: Pool, check: CheckName, runIds: readonly string[]): Promise<Mismatch[]> {
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

async function verifyStructure(pool: Pool): Promise<Mismatch[]> {
  const { rows } = await pool.query<{ month: string | null; what: string }>(loadSql("verify_structure"));
  const changes = await catalogueChanges(pool);
  return [
    ...rows.map(({ month, what }) => ({
      check: "structure" as const,
      what,
      ...(month === null ? {} : { month }),
    })),
    ...changes.differences.map((what) => ({ check: "structure" as const, what })),
  ];
}
