import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";

/** Position of the newest event. Until the transaction ends nobody else archives, and no generation joins or leaves. */
export async function lockHead(tx: Queryable): Promise<bigint> {
  const { rows } = await tx.query<{ position: bigint }>({
    name: "reports_lock_head",
    text: "SELECT position FROM reports.head FOR NO KEY UPDATE",
  });
  return one(rows).position;
}

/** Position of the newest event that is committed: all up to it are. */
export async function readHead(db: Queryable): Promise<bigint> {
  const { rows } = await db.query<{ position: bigint }>({
    name: "reports_read_head",
    text: "SELECT position FROM reports.head",
  });
  return one(rows).position;
}

/**
 * Those into which every event is projected. To be asked after `lockHead`, in a statement of its own: the one that waited for the
 * lock sees what was before.
 */
export async function liveGenerations(tx: Queryable): Promise<readonly number[]> {
  const { rows } = await tx.query<{ generation: number }>({
    name: "reports_live",
    text: "SELECT generation FROM reports.generation WHERE state = 'live'",
  });
  return rows.map(({ generation }) => generation);
}

/** Says that all up to a position is archived and projected. */
export async function moveHead(tx: Queryable, position: bigint): Promise<void> {
  await tx.query({
    name: "reports_move_head",
    text: `WITH moved AS (UPDATE reports.head SET position = $1, applied_at = clock_timestamp())
           UPDATE reports.generation SET position = $1 WHERE state = 'live'`,
    values: [position],
  });
}
