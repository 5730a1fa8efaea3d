import { z } from "zod";
import { utcTime } from "../../../lib/domain/fields.js";
import { amount, asOf, count, instant, link, listOf, pageQuery, written } from "./common.js";
import { recordedLetter } from "./queues.js";

const estado = z.enum(["PENDIENTE", "PROCESANDO", "EXITOSO", "FALLIDO"]);

export const pago = z.object({
  id: z.uuid(),
  id_afiliado: z.string(),
  referencia_pago: z.string().nullable(),
  monto: amount,
  moneda: z.string(),
  estado,
  motivo: z.string().nullable(),
  devuelto: z.boolean().meta({ description: "The bank sent it back; it stays EXITOSO." }),
  trace_id: z.string(),
  created_at: instant,
  updated_at: instant,
});
export type Pago = z.output<typeof pago>;

/** GET pagos?afiliado&estado&from&to&cursor */
export const pagoQuery = z.strictObject({
  ...pageQuery,
  afiliado: written(255).min(1).optional(),
  estado: estado.optional(),
  from: utcTime.optional(),
  to: utcTime.optional(),
});
export const pagoList = listOf(pago);

/** GET pagos/:id */
export const pagoDetail = z.object({
  pago,
  gateway: z
    .object({
      key: z.string(),
      id: z.string().nullable(),
      sent_at: instant,
      ended: z.boolean(),
      takes: count,
    })
    .nullable()
    .meta({ description: "null: the gateway was not asked yet." }),
  book: z.object({
    paid: z.object({ gateway_id: z.string(), monto: amount, paid_at: instant }).nullable(),
    returned: z.object({ motivo: z.string(), returned_at: instant }).nullable(),
  }),
  outbox: z
    .array(z.object({ message_id: z.uuid(), event: z.string(), entered_at: instant }))
    .meta({ description: "Its events that wait to be published; most often none." }),
  letters: z.array(recordedLetter),
  links: z.array(link),
  ...asOf,
});
