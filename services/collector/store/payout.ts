import { parseAmount } from "../../../lib/domain/money.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { AskedPayout } from "../events.js";

export const minorOf = ({ monto, moneda }: Pick<AskedPayout, "monto" | "moneda">): bigint =>
  parseAmount(monto, moneda);

/** What payouts tells of a Pago. */
export interface ToldPago {
  readonly idAfiliado: string;
  readonly referenciaPago: string;
  /** In minor units. */
  readonly amount: bigint;
  readonly moneda: string;
  readonly idPago: string;
  readonly outcome: PagoOutcome;
  readonly reason: string | null;
  readonly version: number;
}

export type PagoOutcome = "pending" | "completed" | "failed" | "returned";

/** A delivery to payouts as it stands. */
export interface PayoutDelivery {
  readonly id: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly version: number;
}

/**
 * Notes what became of payouts that were asked for; one a payout. What is known of later versions stays; a Pago of another amount
 * is not the one that was asked for.
 *
 * @returns ids of the events whose delivery was changed, by reference
 */
export const notePagos = (db: Queryable, told: readonly ToldPago[]) =>
  keysOf(db, told, "collector_note_pagos", NOTE);

/** The same with nothing changed: of which deliveries it would note something, by reference. */
export const foreseePagos = (db: Queryable, told: readonly ToldPago[]) =>
  keysOf(db, told, "collector_foresee_pagos", FORESEE);

async function keysOf(
  db: Queryable,
  told: readonly ToldPago[],
  name: string,
  text: string,
): Promise<ReadonlySet<string>> {
  const sorted = told.toSorted((a, b) => (pagoKey(a) < pagoKey(b) ? -1 : 1));
  const { rows } = await db.query<Pick<ToldPago, "idAfiliado" | "referenciaPago">>({
    name,
    text,
    values: [
      sorted.map(({ idAfiliado }) => idAfiliado),
      sorted.map(({ referenciaPago }) => referenciaPago),
      sorted.map(({ amount }) => amount),
      sorted.map(({ moneda }) => moneda),
      sorted.map(({ idPago }) => idPago),
      sorted.map(({ outcome }) => outcome),
      sorted.map(({ reason }) => reason),
      sorted.map(({ version }) => version),
    ],
  });
  return new Set(rows.map(pagoKey));
}

const TOLD = `
  WITH told AS (
    SELECT p.id, p.id_afiliado, p.referencia_pago, (p.amount, p.moneda) = (a.amount, a.moneda) AS ours,
           a.id_pago, a.outcome, a.reason, a.version
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::integer[])
      AS a (id_afiliado, referencia_pago, amount, moneda, id_pago, outcome, reason, version)
    JOIN collector.payout p USING (id_afiliado, referencia_pago)
  )`;

/** A delivery `d` of which `t` tells something new. */
const NEWS = `d.id = t.id AND d.destination = 'payouts' AND d.version < t.version
    AND (d.state = 'sent'
         OR t.ours AND d.id_pago = t.id_pago
            AND (d.outcome = 'pending' AND t.outcome <> 'pending' OR d.outcome = 'completed' AND t.outcome = 'returned'))`;

const KEY = `t.id_afiliado AS "idAfiliado", t.referencia_pago AS "referenciaPago"`;

const NOTE = `${TOLD}
  UPDATE collector.delivery d
  SET state = CASE WHEN t.ours THEN 'accepted' ELSE 'refused' END,
      outcome = CASE WHEN t.ours THEN t.outcome ELSE 'reference_used' END,
      reason = t.reason, id_pago = t.id_pago, version = t.version, changed_at = now()
  FROM told t
  WHERE ${NEWS}
  RETURNING ${KEY}`;

const FORESEE = `${TOLD}
  SELECT ${KEY} FROM told t, collector.delivery d WHERE ${NEWS}`;

/** Deliveries of payouts that were asked for, by `pagoKey`. */
export async function findPayoutDeliveries(
  db: Queryable,
  keys: readonly Pick<ToldPago, "idAfiliado" | "referenciaPago">[],
): Promise<ReadonlyMap<string, PayoutDelivery>> {
  if (keys.length === 0) {
    return new Map();
  }
  const { rows } = await db.query<PayoutDelivery & Pick<ToldPago, "idAfiliado" | "referenciaPago">>({
    name: "collector_payout_deliveries",
    text: `SELECT p.id_afiliado AS "idAfiliado", p.referencia_pago AS "referenciaPago", d.id, d.state, d.outcome, d.version
           FROM unnest($1::text[], $2::text[]) AS a (id_afiliado, referencia_pago)
           JOIN collector.payout p USING (id_afiliado, referencia_pago)
           JOIN collector.delivery d ON d.id = p.id AND d.destination = 'payouts'`,
    values: [keys.map(({ idAfiliado }) => idAfiliado), keys.map(({ referenciaPago }) => referenciaPago)],
  });
  return new Map(rows.map((row) => [pagoKey(row), row]));
}

/** Neither has a line's end. */
export const pagoKey = ({
  idAfiliado,
  referenciaPago,
}: Pick<ToldPago, "idAfiliado" | "referenciaPago">): string => `${idAfiliado}\n${referenciaPago}`;
