import type { OutgoingMessage } from "../../../lib/broker/confirms.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Pago } from "../domain/pago.js";

/** A change of a Pago that still stands as it was decided on, and what tells of it. */
export interface Transition {
  readonly pago: Pago;
  /** EXITOSO or FALLIDO of a Pago that is PROCESANDO; undefined: money of an EXITOSO one came back. */
  readonly estado: "EXITOSO" | "FALLIDO" | undefined;
  readonly gatewayId: string | null;
  readonly motivo: string | null;
  /** As the event tells it, so that it can be told again. */
  readonly at: Date;
  readonly event: OutgoingMessage;
}

/** Changes Pagos with the money that moved and the events that tell of it, in one statement. @returns ids of those that were changed */
export async function applyTransitions(
  db: Queryable,
  transitions: readonly Transition[],
): Promise<ReadonlySet<string>> {
  if (transitions.length === 0) {
    return new Set();
  }
  // By id, so that two batches with the same Pagos do not wait for each other.
  const sorted = transitions.toSorted((a, b) => (a.pago.idPago < b.pago.idPago ? -1 : 1));
  const { rows } = await db.query<{ idPago: string }>({
    name: "payouts_apply",
    text: APPLY,
    values: [
      sorted.map(({ pago }) => pago.idPago),
      sorted.map(({ pago }) => pago.monto),
      sorted.map(({ pago }) => pago.moneda),
      sorted.map(({ estado }) => estado ?? null),
      sorted.map(({ gatewayId }) => gatewayId),
      sorted.map(({ motivo }) => motivo),
      sorted.map(({ at }) => at),
      sorted.map(({ event }) => event.properties.messageId),
      sorted.map(({ event }) => event.properties.type),
      sorted.map(({ event }) => JSON.stringify(event.properties.headers)),
      sorted.map(({ event }) => event.body.toString()),
    ],
  });
  return new Set(rows.map(({ idPago }) => idPago));
}

const APPLY = `
  WITH asked AS (
    SELECT *
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                $8::uuid[], $9::text[], $10::jsonb[], $11::text[])
      AS a (id_pago, monto, moneda, estado, gateway_id, motivo, at, message_id, event, headers, body)
  ), settled AS (
    UPDATE payouts.pago p
    SET estado = a.estado, motivo = a.motivo, gateway_id = coalesce(p.gateway_id, a.gateway_id), updated_at = a.at
    FROM asked a
    WHERE a.estado IS NOT NULL AND p.id_pago = a.id_pago AND p.estado = 'PROCESANDO'
      AND (p.gateway_id IS NULL OR p.gateway_id = a.gateway_id)
    RETURNING p.id_pago, p.estado, p.gateway_id
  ), paid AS (
    INSERT INTO payouts.paid (id_pago, gateway_id, monto, moneda)
    SELECT id_pago, s.gateway_id, monto, moneda FROM settled s JOIN asked USING (id_pago) WHERE s.estado = 'EXITOSO'
  ), returned AS (
    INSERT INTO payouts.returned (id_pago, motivo, returned_at)
    SELECT id_pago, motivo, at FROM asked WHERE estado IS NULL
    ON CONFLICT DO NOTHING
    RETURNING id_pago
  ), changed AS (
    SELECT id_pago FROM settled UNION ALL SELECT id_pago FROM returned
  ), announced AS (
    INSERT INTO payouts.outbox (message_id, event, headers, body)
    SELECT message_id, event, headers, body FROM asked JOIN changed USING (id_pago)
  )
  SELECT id_pago AS "idPago" FROM changed`;
