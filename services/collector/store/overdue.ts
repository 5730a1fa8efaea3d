import { hexOf } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { PartnerEvent } from "../domain/event.js";
import type { Destination } from "../domain/routing.js";

/** An event that a destination has not answered. */
export interface Overdue {
  readonly destination: Destination;
  readonly event: PartnerEvent;
  readonly traceId: string;
}

/** A delivery that is awaited, and due to be told again. */
const DUE = "awaited AND outcome IS NULL AND state = 'sent' AND due_at <= now()";
/** With the default that is two years; an interval of many more would be none. */
const MAX_DOUBLINGS = 20;

export async function anyOverdue(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "collector_any_overdue",
    text: `SELECT FROM collector.delivery WHERE ${DUE} LIMIT 1`,
  });
  return rowCount === 1;
}

/**
 * Takes overdue deliveries in hand, oldest first, but for those that another process takes at that moment: each is due again after
 * twice the time.
 */
export async function takeOverdue(
  db: Queryable,
  {
    destinations,
    resendAfterS,
    limit,
  }: {
    readonly destinations: readonly Destination[];
    readonly resendAfterS: number;
    readonly limit: number;
  },
): Promise<readonly Overdue[]> {
  const { rows } = await db.query<
    Pick<Overdue, "destination"> & { readonly body: string; readonly traceUuid: string }
  >({
    name: "collector_take_overdue",
    text: `WITH due AS (
             SELECT id, destination FROM collector.delivery
             WHERE ${DUE} AND destination = ANY ($1::text[])
             ORDER BY due_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
           )
           UPDATE collector.delivery d
           SET sends = sends + 1, due_at = now() + make_interval(secs => $2::float8 * 2 ^ least(sends + 1, ${MAX_DOUBLINGS}))
           FROM due JOIN collector.event e USING (id)
           WHERE d.id = due.id AND d.destination = due.destination
           RETURNING d.destination, e.body, e.trace_id AS "traceUuid"`,
    values: [destinations, resendAfterS, limit],
  });
  return rows.map(({ destination, body, traceUuid }) => ({
    destination,
    event: JSON.parse(body) as PartnerEvent,
    traceId: hexOf(traceUuid),
  }));
}
