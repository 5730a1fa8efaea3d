import { hexOf, LAST_ID } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Estado, Pago } from "../domain/pago.js";

/** As it comes from the table. */
export interface PagoRow extends Omit<Pago, "traceId" | "devuelto"> {
  /** With dashes. */
  readonly traceUuid: string;
  readonly returnedMotivo: string | null;
  readonly returnedAt: Date | null;
}

/** Of `FROM`: the Pagos as p, with what came back of them as r. */
export const COLUMNS = `p.id_pago AS "idPago", p.id_afiliado AS "idAfiliado", p.referencia_pago AS "referenciaPago", p.monto, p.moneda,
  p.estado, p.motivo, p.gateway_id AS "gatewayId", p.trace_id AS "traceUuid", p.created_at AS "createdAt", p.updated_at AS "updatedAt",
  r.motivo AS "returnedMotivo", r.returned_at AS "returnedAt"`;
export const FROM = "payouts.pago p LEFT JOIN payouts.returned r ON r.id_pago = p.id_pago";

export function pagoOf({ traceUuid, returnedMotivo, returnedAt, ...row }: PagoRow): Pago {
  const devuelto = returnedAt === null ? null : { motivo: returnedMotivo ?? "", at: returnedAt };
  return { ...row, traceId: hexOf(traceUuid), devuelto };
}

export async function findPago(db: Queryable, idPago: string): Promise<Pago | undefined> {
  return (await findPagos(db, [idPago])).get(idPago);
}

export async function findPagos(
  db: Queryable,
  idsPago: readonly string[],
): Promise<ReadonlyMap<string, Pago>> {
  const { rows } = await db.query<PagoRow>({
    name: "payouts_find",
    text: `SELECT ${COLUMNS} FROM ${FROM} WHERE p.id_pago = ANY ($1::uuid[])`,
    values: [idsPago],
  });
  return new Map(rows.map((row) => [row.idPago, pagoOf(row)]));
}

/** An afiliado's Pagos, newest first. @param before the id where the page before ended */
export async function pagosOf(
  db: Queryable,
  idAfiliado: string,
  {
    limit,
    before,
    estado,
  }: { readonly limit: number; readonly before?: string | undefined; readonly estado?: Estado | undefined },
): Promise<readonly Pago[]> {
  const { rows } = await db.query<PagoRow>({
    name: "payouts_of_afiliado",
    text: `SELECT ${COLUMNS} FROM ${FROM}
           WHERE p.id_afiliado = $1 AND p.id_pago < $2 AND ($3::text IS NULL OR p.estado = $3)
           ORDER BY p.id_pago DESC LIMIT $4`,
    values: [idAfiliado, before ?? LAST_ID, estado ?? null, limit],
  });
  return rows.map(pagoOf);
}
