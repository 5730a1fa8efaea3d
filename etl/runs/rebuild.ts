import { codeOf } from "../../lib/errors.js";
import { type Client, transaction } from "../../lib/postgres/pool.js";
import { pause } from "../../lib/timing.js";
import { EtlError } from "../errors.js";
import { getRun, type Run } from "../ledger/run.js";
import { chunkOf, type PlannedMonth, planRun } from "../plan.js";
import { copyLeaf, rollUp } from "../steps/agg.js";
import { judgeSuspects } from "../steps/clean.js";
import { requireReplaceable } from "../steps/leaf.js";
import { createBuilds } from "../steps/plan_run.js";
import { copyChunk } from "../steps/stage.js";
import { buildTables, leafTable, type StepContext } from "../steps/step.js";

const LOCK_NOT_AVAILABLE = "55P03";
/** A reader that holds the month for long must not make all others queue behind the swap: try briefly, and again. */
const SWAP_LOCK_TIMEOUT = "2s";
const SWAP_TRIES = 60;
const SWAP_PAUSE_MS = 1_000;

/** What was made anew. */
export interface Healed {
  readonly month: string;
  readonly runs: readonly string[];
  readonly rows: number;
}

/**
 * Makes a published month anew from the specs of the runs that filled it, and puts it in the place of the damaged one, with
 * its rejects and roll-ups. Readers go on with the old one until the moment of the exchange; other months are not touched, nor
 * what other runs are building in this one. All in one transaction: a failure leaves everything as it was.
 *
 * @param month `YYYY-MM-01`
 * @throws PlatformError CHUNK_UNKNOWN when the month is not published, LEAF_CHANGED when something of others would be lost or is
 *   in the way, RUN_FAILED when a reader keeps it locked,
 *   CHUNK_COUNT_MISMATCH when a chunk does not come out as predicted.
 */
export async function healMonth(context: StepContext, month: string): Promise<Healed> {
  return transaction(context.pool, async (client) => {
    const runs = await runsOf(client, month);
    await requireReplaceable(client, month);
    const { rows: made } = await client.query<{ leaf: string }>("SELECT etl.create_healed_leaf($1) AS leaf", [
      month,
    ]);
    const leaf = `payments.${made[0]?.leaf}`;
    let rows = 0;
    for (const run of runs) {
      rows += await refill(context, client, run, month, leaf);
    }
    await client.query("SELECT etl.index_healed_leaf($1)", [month]);
    await swap(client, month);
    await rollUp(client, month, leafTable(month));
    return { month, runs: runs.map((run) => run.runId), rows };
  });
}

/** The runs that are done with the month. No other can be before we are: a run's agg waits for the month's row. */
async function runsOf(client: Client, month: string): Promise<Run[]> {
  const { rowCount } = await client.query("SELECT FROM etl.month WHERE month = $1 FOR UPDATE", [month]);
  if (rowCount === 0) {
    throw new EtlError("CHUNK_UNKNOWN", `there is no published month ${month}.`);
  }
  const { rows } = await client.query<{ run_id: string }>(
    `SELECT run_id FROM etl.run_month rm JOIN etl.run r USING (run_id)
     WHERE month = $1 AND rm.state = 'done' ORDER BY r.first_txn_id`,
    [month],
  );
  const runs: Run[] = [];
  for (const { run_id } of rows) {
    runs.push(await getRun(client, run_id));
  }
  return runs;
}

/** @returns rows accepted. */
async function refill(
  context: StepContext,
  client: Client,
  run: Run,
  month: string,
  leaf: string,
): Promise<number> {
  const { runId, spec } = run;
  const plan = planRun(spec);
  const planned = plan.months.find((candidate) => candidate.month === month);
  if (planned === undefined) {
    throw new EtlError("CHUNK_UNKNOWN", `run ${runId} has no month ${month}.`);
  }
  await client.query("DELETE FROM payments.txn_reject WHERE run_id = $1 AND chunk_no BETWEEN $2 AND $3", [
    runId,
    planned.firstChunk,
    lastChunk(planned),
  ]);
  const build = buildTables(runId, month);
  await createBuilds(client, runId, [planned]);
  for (let chunkNo = planned.firstChunk; chunkNo <= lastChunk(planned); chunkNo++) {
    const { key } = await copyChunk(context, client, build.rows, spec, chunkNo);
    const { accepted } = await judgeSuspects(client, runId, chunkOf(plan, spec, chunkNo));
    if (accepted !== key.accepted) {
      throw new EtlError(
        "CHUNK_COUNT_MISMATCH",
        `run ${runId} chunk ${chunkNo}: ${accepted} rows accepted, the generator predicts ${key.accepted}.`,
        { hint: "Are the dimensions damaged? See: payments verify." },
      );
    }
    context.logger.info({ run: runId, chunk: chunkNo, month }, "chunk made anew");
  }
  const rows = await copyLeaf(client, build.leaf, leaf);
  await client.query("SELECT etl.drop_build($1, $2)", [runId, month]);
  return rows;
}

function lastChunk(month: PlannedMonth): number {
  return month.firstChunk + month.chunks - 1;
}

async function swap(client: Client, month: string): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '${SWAP_LOCK_TIMEOUT}'`);
  for (let attempt = 1; ; attempt++) {
    await client.query("SAVEPOINT swap");
    try {
      await client.query("SELECT etl.swap_healed_leaf($1)", [month]);
      return;
    } catch (error) {
      if (codeOf(error) !== LOCK_NOT_AVAILABLE) {
        throw error;
      }
      if (attempt === SWAP_TRIES) {
        throw new EtlError("RUN_FAILED", `readers kept ${month} locked for ${SWAP_TRIES} tries.`, {
          hint: "End the long query (pg_stat_activity) and heal again.",
          cause: error,
        });
      }
      await client.query("ROLLBACK TO SAVEPOINT swap");
      await pause(SWAP_PAUSE_MS);
    }
  }
}
