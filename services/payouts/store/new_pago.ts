import type { OutgoingMessage } from "../../../lib/broker/confirms.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { sameDinero } from "../domain/dinero.js";
import type { Orden, Pago } from "../domain/pago.js";
import { COLUMNS, FROM, type PagoRow, pagoOf } from "./pago.js";

/** A new Pago: how it is asked for, it always has a reference. */
export interface NewOrden extends Orden {
  readonly referenciaPago: string;
}

/** A Pago to be entered, and what is announced in the same statement. */
export interface Entry {
  readonly orden: NewOrden;
  /** `payments.evt.pending`. */
  readonly event: OutgoingMessage;
}

export type Entered =
  | { readonly kind: "entered" }
  /** The reference is this Pago, of the same Dinero. */
  | { readonly kind: "known"; readonly pago: Pago }
  /** The reference is this Pago, of another one. */
  | { readonly kind: "different"; readonly pago: Pago }
  /** Somebody takes the reference away or gives it, just now. */
  | { readonly kind: "in flight" };

const ENTERED: Entered = { kind: "entered" };

/**
 * Enters Pagos with their references and events in one statement, which is one transaction where `db` has none. Of entries with one
 * reference the first is entered; a second statement says what those are whose reference was taken.
 */
export async function enterPagos(db: Queryable, entries: readonly Entry[]): Promise<readonly Entered[]> {
  // By reference, so that two groups with the same ones do not wait for each other.
  const sorted = entries.toSorted((a, b) => (keyOf(a.orden) < keyOf(b.orden) ? -1 : 1));
  const { rows } = await db.query<{ idPago: string }>({
    name: "payouts_enter",
    text: ENTER,
    values: [
      sorted.map(({ orden }) => orden.idPago),
      sorted.map(({ orden }) => orden.idAfiliado),
      sorted.map(({ orden }) => orden.referenciaPago),
      sorted.map(({ orden }) => orden.monto),
      sorted.map(({ orden }) => orden.moneda),
      sorted.map(({ orden }) => orden.traceId),
      sorted.map(({ orden }) => orden.createdAt),
      sorted.map(({ event }) => event.properties.messageId),
      sorted.map(({ event }) => event.properties.type),
      sorted.map(({ event }) => JSON.stringify(event.properties.headers)),
      sorted.map(({ event }) => event.body.toString()),
    ],
  });
  const entered = new Set(rows.map(({ idPago }) => idPago));
  const others = entries.map(({ orden }) => orden).filter(({ idPago }) => !entered.has(idPago));
  const known = others.length === 0 ? new Map<string, Pago>() : await findByReferences(db, others);
  return entries.map(({ orden }): Entered => {
    if (entered.has(orden.idPago)) {
      return ENTERED;
    }
    const pago = known.get(keyOf(orden));
    if (pago === undefined) {
      return { kind: "in flight" };
    }
    return { kind: sameDinero(pago, orden) ? "known" : "different", pago };
  });
}

export const keyOf = ({
  idAfiliado,
  referenciaPago,
}: Pick<NewOrden, "idAfiliado" | "referenciaPago">): string => `${idAfiliado}\n${referenciaPago}`;

/** Pagos by the references that they were asked for under, by `keyOf`. */
export async function findByReferences(
  db: Queryable,
  ordenes: readonly NewOrden[],
): Promise<ReadonlyMap<string, Pago>> {
  const { rows } = await db.query<PagoRow & { readonly asked: string }>({
    name: "payouts_find_references",
    text: `SELECT k.referencia_pago AS asked, ${COLUMNS}
           FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS a (id_afiliado, referencia_pago)) a
           JOIN payouts.reference k USING (id_afiliado, referencia_pago)
           JOIN (${FROM}) ON p.id_pago = k.id_pago`,
    values: [
      ordenes.map(({ idAfiliado }) => idAfiliado),
      ordenes.map(({ referenciaPago }) => referenciaPago),
    ],
  });
  return new Map(
    rows.map(({ asked, ...row }) => [keyOf({ ...row, referenciaPago: asked }), pagoOf(row)] as const),
  );
}

const ENTER = `
  WITH asked AS (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::uuid[], $7::timestamptz[],
                $8::uuid[], $9::text[], $10::jsonb[], $11::text[]) WITH ORDINALITY
      AS a (id_pago, id_afiliado, referencia_pago, monto, moneda, trace_id, created_at, message_id, event, headers, body, place)
  ), taken AS (
    -- Waits for a twin that is being committed. Of twins in one statement the first has it.
    INSERT INTO payouts.reference (id_afiliado, referencia_pago, id_pago)
    SELECT id_afiliado, referencia_pago, id_pago FROM asked ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING id_pago
  ), entered AS (
    INSERT INTO payouts.pago (id_pago, id_afiliado, referencia_pago, monto, moneda, trace_id, created_at, updated_at)
    SELECT id_pago, id_afiliado, referencia_pago, monto, moneda, trace_id, created_at, created_at
    FROM asked JOIN taken USING (id_pago)
  ), announced AS (
    INSERT INTO payouts.outbox (message_id, event, headers, body)
    SELECT message_id, event, headers, body FROM asked JOIN taken USING (id_pago)
  )
  SELECT id_pago AS "idPago" FROM taken`;
