import { instantOf } from "../../../lib/http/page.js";
import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { HEAR } from "./holder.js";

/**
 * Notes a marker that is to be sent now, unless there is one under way that tells as much: it was sent after every deadline that is over,
 * and within ten seconds, after which it may be lost. Where the queue does not move, they become rarer by ten seconds each, up to ten
 * minutes: each that lies there will come back.
 *
 * @returns whether it is to be sent
 */
export async function noteMarker(db: Queryable, markerId: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "monitor_note_marker",
    text: `INSERT INTO monitor.marker (marker_id)
           SELECT $1
           WHERE NOT EXISTS (
             SELECT FROM monitor.marker
             WHERE sent_at > clock_timestamp() - interval '10 seconds' AND back_at IS NULL
               AND sent_at >= (SELECT max(deadline) FROM monitor.report_window
                               WHERE state IN ('OPEN', 'UNKNOWN') AND deadline <= clock_timestamp()))
             AND (SELECT count(*) = 0 OR min(sent_at) > clock_timestamp() - interval '10 seconds'
                         OR max(sent_at) < clock_timestamp() - least(count(*), 60) * interval '10 seconds'
                  FROM monitor.marker WHERE back_at IS NULL AND sent_at > clock_timestamp() - interval '1 day')`,
    values: [markerId],
  });
  return rowCount === 1;
}

/** It was not sent, as far as we know; should it come back, that tells nothing. */
export async function forgetMarker(db: Queryable, markerId: string): Promise<void> {
  await db.query({
    name: "monitor_forget_marker",
    text: "DELETE FROM monitor.marker WHERE marker_id = $1",
    values: [markerId],
  });
}

/** Notes that a marker is back: a holder has brought it. @returns whether there is such a marker, and the time by the database's clock */
export async function noteBack(
  db: Queryable,
  markerId: string,
): Promise<{ readonly known: boolean; readonly asOf: string }> {
  const { rows } = await db.query<{ known: boolean; asOf: string }>({
    name: "monitor_marker_back",
    text: `WITH ${HEAR}, back AS (
             UPDATE monitor.marker SET back_at = coalesce(back_at, last_at) FROM heard WHERE marker_id = $1 RETURNING marker_id
           )
           SELECT EXISTS (SELECT FROM back) AS known, ${instantOf("last_at")} AS "asOf" FROM heard`,
    values: [markerId],
  });
  return one(rows);
}
