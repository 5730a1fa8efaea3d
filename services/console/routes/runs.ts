import { z } from "zod";
import { keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import { actionRequest } from "../contracts/actions.js";
import { month } from "../contracts/common.js";
import { type Run, runDetail, runList, runPreview, runPreviewRequest, runStart } from "../contracts/runs.js";
import { rowsPerS } from "../domain/overview.js";
import { known } from "../errors.js";
import type { Doer, PlatformActions } from "../platform_actions.js";
import { failuresOf, findRun, listRuns, monthsOf, type RunRow } from "../store/run.js";
import type { Resources } from "./resources.js";
import { act, FRESH, look, OWN } from "./route.js";

const params = z.object({ id: z.string().regex(/^r[1-9]\d{0,8}$/, "is no id of a run") });
/** Runs have blocks of transaction ids in the order in which they were started. */
const pages = keyset("console runs", { first: z.string().regex(/^\d{1,18}$/) });
const BEHIND_ALL = 9_223_372_036_854_775_807n;

export const getRuns = (resources: Resources) =>
  look(resources, {
    path: "/runs",
    summary: "Runs, newest first",
    request: { query: z.strictObject(pages.query) },
    answer: runList,
    handle: async ({ query }) => {
      const before = query.cursor === undefined ? BEHIND_ALL : BigInt(query.cursor.first);
      const rows = await listRuns(resources.reads, { before, limit: pages.rowsOf(query) });
      const { items, next } = pages.page(rows, query, ({ firstTxnId }) => ({ first: String(firstTxnId) }));
      return { items: items.map(bodyOf), next };
    },
  });

export const getRun = (resources: Resources) =>
  look(resources, {
    path: "/runs/:id",
    summary: "A run, month by month",
    request: { params },
    answer: runDetail,
    handle: async ({ params: { id } }) => {
      const { pool } = resources;
      const run = known(await findRun(pool, id), `run ${id}`);
      const [months, failures] = await Promise.all([monthsOf(pool, id), failuresOf(pool, id)]);
      return {
        ...bodyOf(run),
        months: months.map(({ month: day, rows, chunks, done, state, finishedAt }) => ({
          month: day.slice(0, 7),
          rows: Number(rows),
          ...{ chunks_total: chunks, chunks_done: done, state },
          finished_at: finishedAt?.toISOString() ?? null,
        })),
        steps: stepsOf(run),
        failures: failures.map(({ messageId, failedAt, month: day, ...failure }) => ({
          ...failure,
          month: day?.slice(0, 7) ?? null,
          message_id: messageId,
          failed_at: failedAt.toISOString(),
        })),
      };
    },
  });

/** It changes nothing, and takes a body all the same: a form with all that may be said of a run. */
export const previewRun = ({ access, platformActions }: Resources) =>
  defineRoute({
    ...OWN,
    ...{ method: "POST", path: "/console/api/runs/preview", summary: "What a run would make" },
    request: { body: runPreviewRequest },
    answers: { 200: runPreview },
    handle: async ({ body, raw }) => {
      access.requireOperator(raw.headers);
      const as_of = new Date().toISOString();
      return { status: 200, body: { ...(await platformActions.previewRun(body)), as_of }, headers: FRESH };
    },
  });

export const startRun = (resources: Resources) =>
  act(resources, {
    path: "/runs",
    summary: "Start a run",
    request: { body: runStart },
    action: ({ body: { reason: _, ...order } }) => ({
      kind: "run.start",
      subject: "new",
      work: (doer) => resources.platformActions.startRun(order, doer),
    }),
  });

type OnRun = (platformActions: PlatformActions, run: string, doer: Doer) => Promise<object>;

/** @param thing of what may go on beside the run's other actions */
const onRun =
  (name: "resume" | "cancel" | "verify", summary: string, work: OnRun, thing?: string) =>
  (resources: Resources) =>
    act(resources, {
      path: `/runs/:id/${name}`,
      summary,
      request: { params, body: actionRequest },
      action: ({ params: { id } }) => ({
        kind: `run.${name}` as const,
        subject: id,
        ...(thing === undefined ? {} : { thing }),
        work: (doer) => work(resources.platformActions, id, doer),
      }),
    });

export const resumeRun = onRun("resume", "Send again what a run waits for", (platformActions, run, doer) =>
  platformActions.resumeRun(run, doer),
);
export const cancelRun = onRun(
  "cancel",
  "End a run and take back what it has not finished",
  (platformActions, run, doer) => platformActions.cancelRun(run, doer),
);
// It reads for minutes, in a process that serves: one at a time. Whoever would cancel the run meanwhile need not wait for that.
export const verifyRun = onRun(
  "verify",
  "Prove that the data is what a run describes",
  (platformActions, run, doer) => platformActions.verifyRun(run, doer),
  "data is verified",
);

export const healMonth = (resources: Resources) =>
  act(resources, {
    path: "/months/:month/heal",
    summary: "Rebuild a damaged month",
    request: { params: z.object({ month }), body: actionRequest },
    action: ({ params }) => ({
      kind: "month.heal",
      subject: params.month,
      // A generator and a month's build each: one at a time.
      thing: "data is rebuilt",
      work: (doer) => resources.platformActions.healMonth(params.month, doer),
    }),
  });

const bodyOf = (row: RunRow): Run => ({
  run: row.run,
  state: row.state,
  rows: Number(row.rows),
  seed: Number(row.seed),
  ...{
    from: row.from,
    to: row.to,
    dirt_rate: row.dirtRate,
    fraud_rate: row.fraudRate,
    fraud_difficulty: row.fraudDifficulty,
    chunk_rows: row.chunkRows,
  },
  chunks: { total: row.chunks, staged: Number(row.staged), cleaned: Number(row.cleaned) },
  months_done: row.monthsDone,
  months_total: row.months,
  accepted: Number(row.accepted),
  repaired: Number(row.repaired),
  rejected: Number(row.rejected),
  share: Math.min(1, row.share),
  elapsed_s: row.elapsedS,
  rows_per_s: rowsPerS(row),
  eta_s: row.etaS,
  idle_s: row.idleS,
  created_at: row.createdAt.toISOString(),
  finished_at: row.finishedAt?.toISOString() ?? null,
});

function stepsOf(row: RunRow) {
  const step = <const Name extends string>(name: Name, rows: bigint, busyS: number) => ({
    step: name,
    rows_done: Number(rows),
    busy_s: busyS,
    rows_per_s: busyS > 0 ? Number(rows) / busyS : null,
  });
  return [
    step("stage", row.rowsStaged, row.stageS),
    step("clean", row.rowsCleaned, row.cleanS),
    step("agg", row.rowsAggregated, row.aggS),
  ];
}
