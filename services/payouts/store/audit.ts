import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Moneda } from "../domain/dinero.js";
import type { Estado } from "../domain/pago.js";

/** What an audit compares with the gateway's book. */
export interface AuditedPago {
  readonly idPago: string;
  readonly estado: Estado;
  readonly gatewayId: string | null;
  /** In minor units. */
  readonly monto: bigint;
  readonly moneda: Moneda;
  readonly returned: boolean;
  readonly changedAt: Date;
}

const PAGE = 1_000;

/** All Pagos, by their ids, a page at a time. `tx` shows one moment. */
export async function* auditedPagos(tx: Queryable): AsyncGenerator<AuditedPago> {
  for (let after = "00000000-0000-0000-0000-000000000000"; ; ) {
    const { rows } = await tx.query<Omit<AuditedPago, "monto"> & { monto: string }>(
      `SELECT id_pago AS "idPago", estado, gateway_id AS "gatewayId", monto::text, moneda, returned, changed_at AS "changedAt"
       FROM payouts.audit_pago WHERE id_pago > $1 ORDER BY id_pago LIMIT $2`,
      [after, PAGE],
    );
    yield* rows.map((row) => ({ ...row, monto: BigInt(row.monto) }));
    after = rows.at(-1)?.idPago ?? "";
    if (rows.length < PAGE) {
      return;
    }
  }
}
