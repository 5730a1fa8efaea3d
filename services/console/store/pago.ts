import { LAST_ID } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Pago } from "../contracts/pagos.js";
import { type Walked, walk } from "./walk.js";

export interface PagoRow {
  readonly id: string;
  readonly idAfiliado: string;
  readonly referenciaPago: string | null;
  readonly monto: bigint;
  readonly moneda: string;
  readonly estado: Pago["estado"];
  readonly motivo: string | null;
  /** With dashes. */
  readonly traceUuid: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly gatewayKey: string | null;
  readonly gatewayId: string | null;
  readonly sentAt: Date | null;
  readonly ended: boolean;
  readonly takes: number;
  readonly returnedMotivo: string | null;
  readonly returnedAt: Date | null;
}

const COLUMNS = `id_pago AS id, id_afiliado AS "idAfiliado", referencia_pago AS "referenciaPago", monto, moneda, estado, motivo,
  trace_id AS "traceUuid", created_at AS "createdAt", updated_at AS "updatedAt", gateway_key AS "gatewayKey",
  gateway_id AS "gatewayId", sent_at AS "sentAt", ended, takes, returned_motivo AS "returnedMotivo", returned_at AS "returnedAt"`;

export interface PagoFilter {
  readonly afiliado?: string | undefined;
  readonly estado?: Pago["estado"] | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** The id where the page before ended. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export const listPagos = (
  db: Queryable,
  { afiliado, estado, from, to, before = LAST_ID, limit }: PagoFilter,
): Promise<Walked<PagoRow>> =>
  walk<PagoRow>(db, {
    ...{ view: "payouts.console_pago", columns: COLUMNS, id: "id_pago", before, limit },
    led: [
      afiliado === undefined ? undefined : [(place) => `id_afiliado = ${place}`, afiliado],
      from === undefined ? undefined : [(place) => `id_pago >= ops.uuid_floor(${place})`, from],
      to === undefined ? undefined : [(place) => `id_pago < ops.uuid_floor(${place})`, to],
    ],
    filters: { estado },
  });

export async function findPago(db: Queryable, id: string): Promise<PagoRow | undefined> {
  const { rows } = await db.query<PagoRow>({
    name: "console_pago",
    text: `SELECT ${COLUMNS} FROM payouts.console_pago WHERE id_pago = $1`,
    values: [id],
  });
  return rows[0];
}

export interface PaidRow {
  readonly gatewayId: string;
  readonly monto: bigint;
  readonly moneda: string;
  readonly paidAt: Date;
}

export async function findPaid(db: Queryable, id: string): Promise<PaidRow | undefined> {
  const { rows } = await db.query<PaidRow>({
    name: "console_paid",
    text: `SELECT gateway_id AS "gatewayId", monto, moneda, paid_at AS "paidAt" FROM payouts.console_paid WHERE id_pago = $1`,
    values: [id],
  });
  return rows[0];
}

export interface WaitingRow {
  readonly messageId: string;
  readonly event: string;
  readonly enteredAt: Date;
}

/** Of the oldest 10,000 events that wait those of a Pago. Most often none wait at all. */
export async function waitingFor(db: Queryable, id: string): Promise<readonly WaitingRow[]> {
  const { rows } = await db.query<WaitingRow>({
    name: "console_waiting",
    text: `SELECT message_id AS "messageId", event, entered_at AS "enteredAt"
           FROM (SELECT * FROM payouts.console_outbox ORDER BY message_id LIMIT 10000) waiting
           WHERE key = $1 ORDER BY message_id LIMIT 100`,
    values: [id],
  });
  return rows;
}
