import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { purge } from "../../lib/runtime/retention.js";
import { TRAFFIC_RUNS } from "../retention.js";

/**
 * Enters a run before its first request, and forgets those that are long past.
 *
 * @param spec what decides all of it, to be looked at later
 * @returns its id.
 */
export async function enterRun(pool: Pool, spec: object): Promise<number> {
  return transaction(pool, async (tx) => {
    await tx.query("SET LOCAL statement_timeout = 0");
    await purge(tx, TRAFFIC_RUNS);
    const { rows } = await tx.query<{ trafficId: bigint }>(
      `INSERT INTO traffic.run (spec) VALUES ($1) RETURNING traffic_id AS "trafficId"`,
      [JSON.stringify(spec)],
    );
    return Number(rows[0]?.trafficId);
  });
}

/** Its answer key is whole. */
export async function endRun(pool: Pool, trafficId: number): Promise<void> {
  await pool.query("UPDATE traffic.run SET ended_at = now() WHERE traffic_id = $1", [trafficId]);
}
