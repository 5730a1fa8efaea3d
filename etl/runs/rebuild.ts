import type { Logger } from "../../lib/observability/log.js";
import { type Client, type Pool, transaction } from "../../lib/postgres/pool.js";
import { copyChunk } from "../build/copy.js";
import { copyLeaf } from "../build/copy_leaf.js";
import { createBuilds, dropBuild } from "../build/create.js";
import { ofHeal } from "../build/drift.js";
import { judgeSuspects } from "../build/judge.js";
import { buildTables, leafTable } from "../build/names.js";
import { createReplacement, swapReplacement } from "../build/replace.js";
import { requireReplaceable } from "../build/replaceable.js";
import { rollUp } from "../build/rollup.js";
import { EtlError } from "../errors.js";
import type { ChunkSource } from "../generate/source.js";
import { lockMonth, removeRejects } from "../ledger/month.js";
import { getRun } from "../ledger/run.js";
import { chunkOf, planRun } from "../plan.js";
import type { Reached } from "../point.js";

export interface RebuildContext {
  readonly pool: Pool;
  readonly source: Pick<ChunkSource, "stream">;
  readonly logger: Logger;
  readonly reached?: Reached | undefined;
}

/** What was rebuilt. */
export interface Rebuilt {
  readonly month: string;
  readonly runs: readonly string[];
  readonly rows: number;
  /** Columns that somebody added, which got another default than they had: a time, a random or running number. */
  readonly refilled: readonly string[];
}

/**
 * Rebuilds a published month from the specs of the runs that filled it, with its rejects and roll-ups, and puts it in the
 * place of the damaged one. Readers go on with the old one until the exchange. Other months stay as they are, and so does what
 * other runs are building in this one. All is one transaction: a failure leaves everything as it was.
 *
 * @param month `YYYY-MM-01`
 * @throws PlatformError MONTH_UNKNOWN when the month is not published, LEAF_CHANGED when somebody's data would be lost or is in the
 *   way, MONTH_LOCKED when readers keep it locked, CHUNK_COUNT_MISMATCH when a chunk does not come out as predicted.
 */
export async function rebuildMonth(context: RebuildContext, month: string): Promise<Rebuilt> {
  const rebuild = async (client: Client): Promise<Rebuilt> => {
    const runs = await lockMonth(client, month);
    const refilled = await requireReplaceable(client, month);
    const leaf = await createReplacement(client, month);
    let rows = 0;
    for (const runId of runs) {
      rows += await rebuildRun(context, client, { runId, month, leaf });
    }
    await swapReplacement(client, month);
    await rollUp(client, month, leafTable(month));
    return { month, runs, rows, refilled };
  };
  return ofHeal(() => transaction(context.pool, rebuild));
}

/** Makes a run's part of the month again, in a build of its own. @returns rows accepted. */
async function rebuildRun(
  context: RebuildContext,
  client: Client,
  { runId, month, leaf }: { runId: string; month: string; leaf: string },
): Promise<number> {
  const { spec } = await getRun(client, runId);
  const plan = planRun(spec);
  const planned = plan.months.find((candidate) => candidate.month === month);
  if (planned === undefined) {
    throw new EtlError("MONTH_UNKNOWN", `run ${runId} has no month ${month}.`);
  }
  await removeRejects(client, runId, month);
  await createBuilds(client, runId, [planned]);
  const build = buildTables(runId, month);
  const { source, reached } = context;
  const endChunk = planned.firstChunk + planned.chunks;
  for (let chunkNo = planned.firstChunk; chunkNo < endChunk; chunkNo++) {
    const { key } = await copyChunk(client, { table: build.rows, spec, chunkNo, source, reached });
    const { accepted } = await judgeSuspects(client, runId, chunkOf(plan, spec, chunkNo));
    if (accepted !== key.accepted) {
      throw new EtlError(
        "CHUNK_COUNT_MISMATCH",
        `run ${runId} chunk ${chunkNo}: ${accepted} rows accepted, the generator predicts ${key.accepted}.`,
        { hint: "Are the dimensions damaged? See: payments verify." },
      );
    }
    context.logger.info({ run: runId, chunk: chunkNo, month }, "chunk rebuilt");
  }
  const rows = await copyLeaf(client, { from: build.leaf, to: leaf });
  await dropBuild(client, runId, month);
  return rows;
}
