import { healMonth } from "../../etl/commands/heal.js";
import { startRun } from "../../etl/commands/kickoff.js";
import { resumeRun } from "../../etl/commands/resume.js";
import { etl } from "../../etl/module.js";
import { planRun } from "../../etl/plan.js";
import { cancelRun } from "../../etl/runs/cancel.js";
import { defaultSpec } from "../../etl/runs/default_spec.js";
import { seedState } from "../../etl/seed/state.js";
import type { EtlSettings } from "../../etl/settings.js";
import type { Spec } from "../../etl/spec.js";
import { verify } from "../../etl/verify/verify.js";
import { withDatabase } from "../../lib/cli/command.js";
import type { PlatformActions, RunOrder } from "../../services/console/platform_actions.js";
import type { ContextOf } from "./context.js";

type RunActions = Pick<
  PlatformActions,
  "previewRun" | "startRun" | "resumeRun" | "cancelRun" | "verifyRun" | "healMonth"
>;

/** A transaction with its share of three indexes, as months of a million have it. */
const BYTES_A_ROW = 250;

/** What the commands kickoff, resume, cancel, verify and heal do. */
export function runActions(contextOf: ContextOf): RunActions {
  const context = (signal?: AbortSignal) => contextOf<EtlSettings>(etl, signal);
  const specOf = (order: RunOrder) => defaultSpec(context().settings, fieldsOf(order));
  return {
    previewRun: async (order) => {
      const { fromOn, toOn, dirtRate, fraudRate, fraudDifficulty, chunkRows, ...spec } = specOf(order);
      const { months, chunks } = planRun({ ...spec, fromOn, toOn, chunkRows });
      return {
        ...{
          ...spec,
          from: fromOn,
          to: toOn,
          dirt_rate: dirtRate,
          fraud_rate: fraudRate,
          fraud_difficulty: fraudDifficulty,
          chunk_rows: chunkRows,
        },
        chunks,
        months: months.map(({ month, rows, chunks: own }) => ({
          ...{ month: month.slice(0, 7), rows, chunks: own },
        })),
        bytes: spec.rows * BYTES_A_ROW,
        seeded: (await withDatabase(context(), seedState)) === "same",
      };
    },
    startRun: (order, { signal }) => {
      const spec = specOf(order);
      return withDatabase(context(signal), async (pool) => {
        const run = await startRun(context(signal), pool, spec);
        return { run: run?.runId, rows: spec.rows };
      });
    },
    resumeRun: async (run, { signal }) => ({ run, sent: await resumeRun(context(signal), run) }),
    cancelRun: async (run, { signal }) => ({
      ...{ run, state: "cancelled" },
      ...(await withDatabase(context(signal), (pool) => cancelRun(pool, run))),
    }),
    verifyRun: async (run, { signal }) => {
      const report = await withDatabase(context(signal), (pool) => verify(pool, run));
      return {
        ...report,
        differences: report.differences.slice(0, MOST_DIFFERENCES),
        differing: report.differences.length,
      };
    },
    healMonth: (month, { signal }) => healMonth(context(signal), month),
  };
}

/** A row of the audit has room for the first ones; `payments verify --json` has all. */
const MOST_DIFFERENCES = 100;

function fieldsOf(order: RunOrder): Partial<Spec> {
  const { rows, seed, from, to, dirt_rate, fraud_rate, fraud_difficulty, chunk_rows } = order;
  const fields = {
    ...{
      rows,
      seed,
      fromOn: from,
      toOn: to,
      dirtRate: dirt_rate,
      fraudRate: fraud_rate,
      fraudDifficulty: fraud_difficulty,
      chunkRows: chunk_rows,
    },
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
