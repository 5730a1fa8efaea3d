import { one } from "./one.js";
import type { Queryable } from "./pool.js";

/** A connection never outlives its timeline: a recovery, a failover and a dump that takes a database's place end it. */
const KNOWN = new WeakMap<Queryable, string>();

/**
 * Which course of events the database is on: ops.timeline(). Asked once a connection.
 *
 * @param tx the connection of a transaction, not a pool
 */
export async function timelineOf(tx: Queryable): Promise<string> {
  const known = KNOWN.get(tx);
  if (known !== undefined) {
    return known;
  }
  const { rows } = await tx.query<{ timeline: string }>("SELECT ops.timeline() AS timeline");
  const { timeline } = one(rows);
  KNOWN.set(tx, timeline);
  return timeline;
}
