import { codeOf, messageOf } from "../../lib/errors.js";
import type { Client } from "../../lib/postgres/pool.js";
import { EtlError } from "../errors.js";
import { acceptedRows } from "../ledger/month.js";
import type { Reached } from "../point.js";
import { copyLeaf } from "./copy_leaf.js";
import { dropBuild } from "./create.js";
import { requireAttached } from "./leaf.js";
import { buildTables, leafTable } from "./names.js";
import { addToRollUps, rollUp } from "./rollup.js";

/** A table of that name, a partition of that range, rows of that range in a default partition. */
const PLACE_TAKEN: ReadonlySet<string> = new Set(["42P07", "42P17", "23514"]);

export interface Build {
  readonly runId: string;
  readonly month: string;
  readonly reached?: Reached | undefined;
}

/**
 * Makes the build the month's leaf: rolled up, indexed and attached.
 *
 * @throws PlatformError CHUNK_COUNT_MISMATCH, or LEAF_CHANGED when something that no run made has the month's place.
 */
export async function publishBuild(client: Client, build: Build): Promise<void> {
  const { runId, month, reached } = build;
  await requireAccepted(client, build, await rollUp(client, month, buildTables(runId, month).leaf));
  await reached?.("agg: rolled up");
  // Sorts the index keys of millions of rows in memory; granted to this transaction only.
  await client.query("SET LOCAL maintenance_work_mem = '256MB'");
  try {
    await client.query("SELECT etl.publish_build($1, $2)", [runId, month]);
  } catch (error) {
    if (!PLACE_TAKEN.has(codeOf(error) ?? "")) {
      throw error;
    }
    const what = `${leafTable(month)} cannot become a month of txn: ${messageOf(error)}.`;
    throw new EtlError("LEAF_CHANGED", what, {
      hint: "Something that no run made has its place: move that away. Then: payments dlq replay.",
      cause: error,
    });
  }
  await reached?.("agg: month published");
}

/**
 * Adds the build to the month that stands: its groups to the roll-ups, its rows to the leaf.
 *
 * @throws PlatformError CHUNK_COUNT_MISMATCH, or LEAF_CHANGED when the leaf is not where its run left it.
 */
export async function appendBuild(client: Client, build: Build): Promise<void> {
  const { runId, month, reached } = build;
  const { leaf } = buildTables(runId, month);
  await requireAttached(client, month);
  await addToRollUps(client, month, leaf);
  await reached?.("agg: rolled up");
  // What is counted is what was copied.
  await requireAccepted(client, build, await copyLeaf(client, { from: leaf, to: leafTable(month) }));
  // Once more: from its first row on nobody can take the leaf away.
  await requireAttached(client, month);
  await dropBuild(client, runId, month);
  await reached?.("agg: month added to");
}

/** A build that lost rows, or got some by another way, must not be published. */
async function requireAccepted(client: Client, { runId, month }: Build, rows: number): Promise<void> {
  const accepted = await acceptedRows(client, runId, month);
  if (rows === accepted) {
    return;
  }
  const what = `run ${runId}, ${month}: ${rows} rows were built, its chunks accepted ${accepted}.`;
  const hint = `Somebody changed ${buildTables(runId, month).rows}. Cancel the run and start another: payments cancel ${runId}.`;
  throw new EtlError("CHUNK_COUNT_MISMATCH", what, { hint });
}
