import { codeOf } from "../../lib/errors.js";
import { one } from "../../lib/postgres/one.js";
import type { Client } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { EtlError } from "../errors.js";
import { copyLeaf } from "./copy_leaf.js";
import { requireAttached } from "./leaf.js";
import { leafTable } from "./names.js";
import { SWAP_LOCK_TIMEOUT, swapReplacement } from "./replace.js";
import { requireReplaceable } from "./replaceable.js";

/**
 * Somebody holds the leaf (55P03), reads it for long, or has changed it or txn: columns, constraints and names are not what they were when
 * the build was made (42…), standing rows do not pass (23…), a view of the leaf came meanwhile (2BP01).
 */
const IN_THE_WAY = /^(?:55P03|MONTH_LOCKED|LEAF_CHANGED|2BP01|23...|42...)$/;
/** Each keeps new readers waiting for SWAP_LOCK_TIMEOUT at most. */
const SWAP_TRIES = 3;

/**
 * Takes the rows of the month's leaf into a build, indexes it once and puts it in the leaf's place: per row half of what adding rows to
 * leaf and indexes costs, for all rows of both.
 *
 * @returns false when something is in the way; then all is as it was.
 */
export async function exchangeBuild(client: Client, runId: string, month: string): Promise<boolean> {
  await client.query("SAVEPOINT exchange");
  try {
    await exchange(client, runId, month);
    return true;
  } catch (error) {
    if (!IN_THE_WAY.test(codeOf(error) ?? "")) {
      throw error;
    }
    await client.query("ROLLBACK TO SAVEPOINT exchange");
    return false;
  }
}

async function exchange(client: Client, runId: string, month: string): Promise<void> {
  const leaf = leafTable(month);
  await client.query(`SET LOCAL lock_timeout = '${SWAP_LOCK_TIMEOUT}'`);
  const { rows } = await client.query<{ adopted: string }>("SELECT etl.adopt_build($1, $2) AS adopted", [
    runId,
    month,
  ]);
  // The leaf is locked now: what is found out here stays so until it is dropped.
  await requireAttached(client, month);
  const refilled = await requireReplaceable(client, month);
  if (refilled.length > 0 || (await hasItsOwn(client, leaf))) {
    throw new EtlError("LEAF_CHANGED", `${leaf} has what a leaf in its place would lack.`);
  }
  await copyLeaf(client, { from: leaf, to: `payments.${one(rows).adopted}` });
  await swapReplacement(client, month, SWAP_TRIES);
  await client.query("SET LOCAL lock_timeout = 0");
}

async function hasItsOwn(client: Client, leaf: string): Promise<boolean> {
  const { rows } = await client.query<{ own: boolean }>(loadSql("leaf_own"), [leaf]);
  return one(rows).own;
}
