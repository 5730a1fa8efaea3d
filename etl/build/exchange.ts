import { codeOf } from "../../lib/errors.js";
import { one } from "../../lib/postgres/one.js";
import type { Client } from "../../lib/postgres/pool.js";
import { copyLeaf } from "./copy_leaf.js";
import { requireAttached } from "./leaf.js";
import { leafTable } from "./names.js";
import { SWAP_LOCK_TIMEOUT, swapReplacement } from "./replace.js";
import { requireReplaceable } from "./replaceable.js";

/** Somebody holds the leaf, reads it for long, or has changed it so that another would not be the same: rows are added to it instead. */
const IN_THE_WAY: ReadonlySet<string> = new Set(["55P03", "MONTH_LOCKED", "LEAF_CHANGED"]);
/** Each keeps new readers waiting for SWAP_LOCK_TIMEOUT at most. */
const SWAP_TRIES = 3;

/**
 * Takes the rows of the month's leaf into a build, indexes it once and puts it in the leaf's place: per row half of what adding rows to
 * leaf and indexes costs, for all rows of both.
 *
 * @returns false when something is in the way; then all is as it was.
 */
export async function exchangeBuild(client: Client, runId: string, month: string): Promise<boolean> {
  const leaf = leafTable(month);
  await client.query("SAVEPOINT exchange");
  try {
    await client.query(`SET LOCAL lock_timeout = '${SWAP_LOCK_TIMEOUT}'`);
    const refilled = await requireReplaceable(client, month);
    if (refilled.length > 0 || (await hasItsOwn(client, leaf))) {
      await client.query("ROLLBACK TO SAVEPOINT exchange");
      return false;
    }
    const { rows } = await client.query<{ adopted: string }>("SELECT etl.adopt_build($1, $2) AS adopted", [
      runId,
      month,
    ]);
    // Once more: it is locked now, so nobody can take it away.
    await requireAttached(client, month);
    await copyLeaf(client, { from: leaf, to: `payments.${one(rows).adopted}` });
    await swapReplacement(client, month, SWAP_TRIES);
    await client.query("SET LOCAL lock_timeout = 0");
    return true;
  } catch (error) {
    if (!IN_THE_WAY.has(codeOf(error) ?? "")) {
      throw error;
    }
    await client.query("ROLLBACK TO SAVEPOINT exchange");
    return false;
  }
}

/** What txn has not and another leaf would lack: indexes, triggers, storage. */
async function hasItsOwn(client: Client, leaf: string): Promise<boolean> {
  const { rows } = await client.query<{ own: boolean }>(
    `SELECT c.reltablespace <> t.reltablespace OR c.reloptions IS NOT NULL
            OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid
                       AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid))
            OR EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgparentid = 0) AS own
     FROM pg_class c, pg_class t
     WHERE c.oid = to_regclass($1) AND t.oid = 'payments.txn'::regclass`,
    [leaf],
  );
  return one(rows).own;
}
