import { Command } from "commander";
import { type ActionWrapper, withDatabase } from "../../lib/cli/command.js";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import { EXIT } from "../../lib/errors.js";
import type { EtlSettings } from "../settings.js";
import { CHECKS, type CheckName, type Mismatch, type VerifyReport } from "../verify/report.js";
import { verify } from "../verify/verify.js";
import { show } from "./show.js";

/** More would scroll the first ones, which matter most, out of sight; --json has them all. */
const SHOWN = 40;

export function verifyCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("verify")
    .description("prove that the data is what its runs describe; exit 3 names what differs")
    .argument("[run]", "run id, e.g. r1; all runs when left out")
    .action(
      action(async (context, runId: string | undefined, _options: object) => {
        const report = await withDatabase(context, (pool) => verify(pool, runId));
        show(context, report, describe(report));
        return report.ok ? EXIT.ok : EXIT.mismatch;
      }),
    );
}

function describe(report: VerifyReport): string {
  const failed = new Map<CheckName, number>();
  for (const { check } of report.differences) {
    failed.set(check, (failed.get(check) ?? 0) + 1);
  }
  const checks = Object.entries(CHECKS).map(([name, what]) => {
    const count = failed.get(name as CheckName) ?? 0;
    return count === 0 ? `ok    ${what}` : `FAIL  ${what} (${count})`;
  });
  const months = formatTable(
    ["month", "rows", "digest"],
    report.months.map((month) => [month.month.slice(0, 7), month.rows, month.digest]),
  );
  const unfinished =
    report.unfinishedRuns.length > 0
      ? [`not finished, checked as far as cleaned: ${report.unfinishedRuns.join(", ")}`]
      : [];
  const verdict = report.ok
    ? `verified: ${formatCount(report.rows)} rows in ${report.months.length} months are just what ${report.runs.length} run(s) describe`
    : `VERIFY_MISMATCH: ${report.differences.length} difference(s)`;
  return [
    months,
    "",
    ...checks,
    "",
    ...report.differences.slice(0, SHOWN).map(line),
    ...unfinished,
    verdict,
  ].join("\n");
}

function line(difference: Mismatch): string {
  const { check, month, run, chunk, class: name, what, expected, found } = difference;
  const where = [
    month && `month ${month.slice(0, 7)}`,
    run && `run ${run}`,
    chunk !== undefined && `chunk ${chunk}`,
    name && `class ${name}`,
  ].filter(Boolean);
  const values = expected === undefined ? "" : `: expected ${expected}, found ${found}`;
  return `${check}: ${where.length > 0 ? `${where.join(", ")}: ` : ""}${what}${values}`;
}
