import { catalogueChanges } from "../../lib/postgres/catalogue.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { monthsOf } from "../ledger/reading.js";
import { getRun, isOver, listRuns } from "../ledger/run.js";
import { verifyMonth } from "./month.js";
import type { CheckName, Mismatch, MonthReport, VerifyReport } from "./report.js";

/** Months checked at the same time; each is one sequential scan or two on one connection. */
const PARALLEL = 2;

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
    ...(await find(pool, "ledger", [ids])),
    ...(await find(pool, "answer_key", [ids])),
    ...(await find(pool, "rejects", [ids])),
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
  differences.push(...(await find(pool, "structure")));
  const schema = await catalogueChanges(pool);
  differences.push(...schema.differences.map((what): Mismatch => ({ check: "structure", what })));
  months.sort((a, b) => (a.month < b.month ? -1 : 1));
  return {
    ok: differences.length === 0,
    runs: ids,
    unfinishedRuns: runs.filter((run) => !isOver(run.state)).map((run) => run.runId),
    months,
    rows: months.reduce((sum, month) => sum + month.rows, 0),
    differences,
  };
}

/** What db/queries/verify_<check>.sql finds: mismatches but for their check, with null where one does not apply. */
async function find(pool: Pool, check: CheckName, values: readonly unknown[] = []): Promise<Mismatch[]> {
  const { rows } = await pool.query<Omit<Mismatch, "check">>(loadSql(`verify_${check}`), [...values]);
  return rows.map((row) => {
    const found = Object.entries(row).filter(([, value]) => value !== null);
    return { check, ...(Object.fromEntries(found) as typeof row) };
  });
}
