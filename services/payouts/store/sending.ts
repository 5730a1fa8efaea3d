import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Sending } from "../domain/next_step.js";
import type { Envio } from "../gateway/pasarela.js";

/** A Pago in the hands of a dispatcher, with all that the gateway is told of it. */
export interface Taken extends Envio, Sending {}

/** Of its reference, not of its id: made again after a restore it has another id, and is to be paid no second time. */
const KEY =
  "'pago-' || encode(sha256(convert_to(jsonb_build_array(id_afiliado, referencia_pago)::text, 'UTF8')), 'hex')";

/**
 * Takes Pagos that are due, oldest first, for `leaseS` seconds; those that another process has locked it leaves. All are PROCESANDO
 * and have their key from then on: in one statement, which is committed before anything is sent.
 */
export async function takePagos(
  db: Queryable,
  { limit, leaseS }: { readonly limit: number; readonly leaseS: number },
): Promise<readonly Taken[]> {
  const { rows } = await db.query<Taken>({
    name: "payouts_take",
    text: `
      WITH due AS (
        SELECT id_pago FROM payouts.pago
        WHERE estado IN ('PENDIENTE', 'PROCESANDO') AND due_at <= now()
        ORDER BY due_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
      )
      UPDATE payouts.pago p
      SET estado = 'PROCESANDO', gateway_key = coalesce(gateway_key, ${KEY}), sent_at = coalesce(sent_at, now()),
          updated_at = CASE estado WHEN 'PENDIENTE' THEN now() ELSE updated_at END,
          takes = takes + 1, due_at = now() + make_interval(secs => $2::float8)
      FROM due WHERE p.id_pago = due.id_pago
      RETURNING p.id_pago AS "idPago", monto, moneda, created_at AS "createdAt", sent_at AS "sentAt",
                gateway_key AS "gatewayKey", gateway_id AS "gatewayId", ended, takes`,
    values: [limit, leaseS],
  });
  return rows;
}

/** What is known after a try that did not settle a Pago, and when it is due again. */
export interface Noted {
  readonly idPago: string;
  readonly gatewayId: string | null;
  readonly ended: boolean;
  readonly waitS: number;
}

export async function notePagos(db: Queryable, notes: readonly Noted[]): Promise<void> {
  if (notes.length === 0) {
    return;
  }
  const sorted = notes.toSorted((a, b) => (a.idPago < b.idPago ? -1 : 1));
  await db.query({
    name: "payouts_note",
    text: `
      UPDATE payouts.pago p
      SET gateway_id = coalesce(p.gateway_id, a.gateway_id), ended = p.ended OR a.ended,
          takes = CASE WHEN a.ended AND NOT p.ended THEN 0 ELSE takes END, -- from here on they count questions
          due_at = now() + make_interval(secs => a.wait_s)
      FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::float8[]) AS a (id_pago, gateway_id, ended, wait_s)
      WHERE p.id_pago = a.id_pago AND p.estado = 'PROCESANDO'`,
    values: [
      sorted.map(({ idPago }) => idPago),
      sorted.map(({ gatewayId }) => gatewayId),
      sorted.map(({ ended }) => ended),
      sorted.map(({ waitS }) => waitS),
    ],
  });
}
