import { z } from "zod";
import { amount, reference } from "../../lib/domain/fields.js";
import type { EventContract } from "../../lib/messaging/event.js";
import { aggregateVersion, moneda, traceId } from "./fields.js";

const schema = z.object({
  id_pago: z.uuid(),
  id_afiliado: reference,
  monto: amount,
  moneda,
  referencia_pago: reference,
  estado: z.enum(["PENDIENTE", "PROCESANDO", "EXITOSO", "FALLIDO"]),
  /** Why it failed or came back, in the gateway's words, e.g. `account_closed`. */
  motivo: z.string().max(200).optional(),
  version: aggregateVersion,
  occurred_at: z.iso.datetime(),
  trace_id: traceId.optional(),
});

export type PagoEvent = z.output<typeof schema>;

const about = (name: string): EventContract<PagoEvent> => ({
  name,
  version: 1,
  schema,
  key: ({ id_pago }) => id_pago,
});

/** payouts → collector, reports: a Pago was accepted. */
export const paymentsEvtPending = about("payments.evt.pending");
/** PagoExitoso. */
export const paymentsEvtCompleted = about("payments.evt.completed");
/** PagoFallido. */
export const paymentsEvtFailed = about("payments.evt.failed");
/** PagoDevuelto: paid, and sent back by the bank later. The Pago stays EXITOSO. */
export const paymentsEvtReturned = about("payments.evt.returned");
