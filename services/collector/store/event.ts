import { hexOf } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { PartnerEvent } from "../domain/event.js";
import type { Destination } from "../domain/routing.js";

/** An event as it was told, and where it went. */
export interface StoredEvent {
  readonly event: PartnerEvent;
  readonly traceId: string;
  readonly receivedAt: Date;
  readonly deliveries: readonly Delivery[];
}

export interface Delivery {
  readonly destination: Destination;
  /** waiting: for what another destination says, or for the broker. */
  readonly state: "waiting" | "sent" | "accepted" | "refused";
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly idPago: string | null;
  readonly changedAt: Date;
}

type Row = Delivery & Pick<StoredEvent, "receivedAt"> & { readonly body: string; readonly traceUuid: string };

export async function findEvent(
  db: Queryable,
  source: string,
  eventId: string,
): Promise<StoredEvent | undefined> {
  const { rows } = await db.query<Row>({
    name: "collector_find_event",
    text: FIND,
    values: [source, eventId],
  });
  const [first] = rows;
  return (
    first && {
      event: JSON.parse(first.body),
      traceId: hexOf(first.traceUuid),
      receivedAt: first.receivedAt,
      deliveries: rows,
    }
  );
}

const FIND = `
  SELECT e.body, e.trace_id AS "traceUuid", e.received_at AS "receivedAt", d.destination, d.outcome, d.reason, d.id_pago AS "idPago",
         d.changed_at AS "changedAt", CASE WHEN o.message_id IS NOT NULL AND d.state = 'sent' THEN 'waiting' ELSE d.state END AS state
  FROM collector.event_key k
  JOIN collector.event e ON e.id = k.id
  JOIN collector.delivery d ON d.id = k.id
  LEFT JOIN collector.outbox o ON o.message_id = d.message_id
  WHERE k.source = $1 AND k.event_id = $2
  ORDER BY d.destination`;
