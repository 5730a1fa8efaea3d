import { formatCount, formatTable } from "../../lib/cli/table.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { rejectReasons } from "../ledger/reading.js";
import { type RunStatus, STEPS } from "../runs/status.js";

/** What came of finished runs: counts, reasons and speed, as tables for a person. */
export async function summarize(pool: Pool, runs: readonly RunStatus[]): Promise<string> {
  const sum = (of: (run: RunStatus) => number) => runs.reduce((total, run) => total + of(run), 0);
  const rows = sum((run) => run.rows);
  const elapsedS = sum((run) => run.elapsedS);
  const rate = (seconds: number) => (seconds > 0 ? Math.round(rows / seconds) : 0);
  const reasons = await rejectReasons(
    pool,
    runs.map((run) => run.run),
  );
  const counts = formatTable(
    ["rows", "count"],
    [
      ["generated", rows],
      ["accepted", sum((run) => run.accepted)],
      ["  of these repaired", sum((run) => run.repaired)],
      ["rejected", sum((run) => run.rejected)],
      ...Object.entries(reasons).map(([reason, count]): [string, number] => [`  ${reason}`, count]),
    ],
  );
  const steps = formatTable(
    ["step", "busy seconds", "rows/s while busy"],
    STEPS.map((step) => {
      const busyS = sum((run) => run.busyS[step]);
      return [step, busyS, rate(busyS)];
    }),
  );
  const whole = `${formatCount(rows)} rows in ${formatCount(elapsedS)} s: ${formatCount(rate(elapsedS))} rows/s through all three steps`;
  return `${counts}\n\n${steps}\n\n${whole}`;
}
