import { codeOf } from "../../lib/errors.js";
import { one } from "../../lib/postgres/one.js";
import type { Client } from "../../lib/postgres/pool.js";
import { pause } from "../../lib/timing.js";
import { EtlError } from "../errors.js";

const LOCK_NOT_AVAILABLE = "55P03";
/** A reader that holds the month for long must not make all others queue behind the swap: try briefly, and again. */
const SWAP_LOCK_TIMEOUT = "2s";
const SWAP_TRIES = 60;
const SWAP_PAUSE_MS = 1_000;

/** Makes an empty leaf beside the month's own. @returns its name. */
export async function createReplacement(client: Client, month: string): Promise<string> {
  const { rows } = await client.query<{ leaf: string }>("SELECT etl.create_healed_leaf($1) AS leaf", [month]);
  return `payments.${one(rows).leaf}`;
}

/**
 * Indexes the filled replacement, then puts it in the place of the month's leaf.
 *
 * @throws PlatformError MONTH_LOCKED when readers keep the month locked.
 */
export async function swapReplacement(client: Client, month: string): Promise<void> {
  await client.query("SELECT etl.index_healed_leaf($1)", [month]);
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
        throw new EtlError("MONTH_LOCKED", `readers kept ${month} locked for ${SWAP_TRIES} tries.`, {
          hint: "End the long query (pg_stat_activity) and heal again.",
          cause: error,
        });
      }
      await client.query("ROLLBACK TO SAVEPOINT swap");
      await pause(SWAP_PAUSE_MS);
    }
  }
}
