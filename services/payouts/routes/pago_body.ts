import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import { moneda } from "../../contracts/fields.js";
import type { Pago } from "../domain/pago.js";

export const estado = z.enum(["PENDIENTE", "PROCESANDO", "EXITOSO", "FALLIDO"]);

/** A Pago as it is answered. */
export const pagoBody = z.object({
  id_pago: z.uuid(),
  id_afiliado: z.string(),
  monto: z.string(),
  moneda,
  referencia_pago: z.string().nullable(),
  estado,
  motivo: z.string().nullable(),
  devuelto: z
    .object({ motivo: z.string(), at: z.iso.datetime() })
    .nullable()
    .meta({ description: "The bank sent it back; it stays EXITOSO." }),
  trace_id: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export function bodyOf(pago: Pago): z.output<typeof pagoBody> {
  const { idPago, idAfiliado, monto, referenciaPago, devuelto, createdAt, updatedAt } = pago;
  return {
    id_pago: idPago,
    id_afiliado: idAfiliado,
    monto: formatAmount(monto, pago.moneda),
    moneda: pago.moneda,
    referencia_pago: referenciaPago,
    estado: pago.estado,
    motivo: pago.motivo,
    devuelto: devuelto && { motivo: devuelto.motivo, at: devuelto.at.toISOString() },
    trace_id: pago.traceId,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}
