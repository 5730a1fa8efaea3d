import { Command } from "commander";
import { type ActionWrapper, withDatabase } from "../../lib/cli/command.js";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import { EXIT } from "../../lib/errors.js";
import { EtlError } from "../errors.js";
import type { Guess, LeakReport } from "../leak/audit.js";
import { BOUNDS, beyond, unlabelled } from "../leak/bounds.js";
import { getRun, lastDone, type Run } from "../ledger/run.js";
import type { EtlSettings } from "../settings.js";
import type { FraudDifficulty } from "../spec.js";
import { show } from "./show.js";

/** Of columns, and as many of pairs; --json has them all. */
const SHOWN = 8;

export function auditLeakCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("audit-leak")
    .description(
      "how well single columns, pairs of them and the history tell fraud; exit 3 names what is beyond the bounds",
    )
    .argument("[run]", "run id, e.g. r1; the last one that is done when left out")
    .action(
      action(async (context, runId: string | undefined, _options: object) => {
        const { run, report } = await withDatabase(context, async (pool) => {
          const chosen = runId === undefined ? await lastDone(pool) : await getRun(pool, runId);
          if (chosen === undefined) {
            throw new EtlError("RUN_UNKNOWN", "no run is done yet.", {
              hint: "Start one: payments kickoff.",
            });
          }
          // Loaded where it is used: no other command wants it.
          const { auditRun } = await import("../leak/read.js");
          return { run: chosen, report: await auditRun(pool, chosen) };
        });
        const { fraudDifficulty } = run.spec;
        const bounds = BOUNDS[fraudDifficulty];
        const findings = [...unlabelled(report), ...(bounds === null ? [] : beyond(report, bounds))];
        const data = {
          run: run.runId,
          fraudDifficulty,
          ...report,
          bounds,
          findings,
          ok: findings.length === 0,
        };
        show(context, data, describe(run, report, findings));
        return findings.length === 0 ? EXIT.ok : EXIT.mismatch;
      }),
    );
}

function describe({ runId, spec }: Run, report: LeakReport, findings: readonly string[]): string {
  const bounds = BOUNDS[spec.fraudDifficulty];
  const lines = (what: string, guesses: readonly Guess[], bound: string) =>
    guesses.slice(0, SHOWN).map(({ by, auc }) => [what, by, auc.toFixed(3), bound]);
  const table = formatTable(
    ["of", "told by", "AUC", "bound"],
    [
      ...lines("column", report.columns, bounds ? `<= ${bounds.column}` : ""),
      ...lines("pair", report.pairs, bounds ? `<= ${bounds.pair}` : ""),
      ...lines("history", report.history, ""),
      [
        "model",
        "logistic regression on the history",
        report.model.toFixed(3),
        bounds ? `>= ${bounds.model}` : "",
      ],
    ],
  );
  const about = `run ${runId}: ${formatCount(report.rows)} rows, ${formatCount(report.fraud)} of them fraud, difficulty ${spec.fraudDifficulty}`;
  return [about, "", table, "", ...findings, verdictOf(spec.fraudDifficulty, findings.length)].join("\n");
}

function verdictOf(difficulty: FraudDifficulty, findings: number): string {
  if (findings > 0) {
    return `LEAK_FOUND: ${findings} finding(s)`;
  }
  return BOUNDS[difficulty] === null
    ? "no bounds: this run's fraud is meant to be easy to find"
    : "ok: no column and no pair of columns tells more than it may, and the history tells what it must";
}
