import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { derivedId } from "../../lib/domain/ids.js";
import { formatAmount } from "../../lib/domain/money.js";
import { type EventContract, eventMessage } from "../../lib/messaging/event.js";
import {
  type PagoEvent,
  paymentsEvtCompleted,
  paymentsEvtFailed,
  paymentsEvtPending,
  paymentsEvtReturned,
} from "../contracts/payments_evt.js";
import { type Estado, type Orden, RETURNED_VERSION, VERSION } from "./domain/pago.js";

/** A Pago was accepted. */
export const pendingEvent = (orden: Orden): OutgoingMessage =>
  pagoEvent(paymentsEvtPending, orden, { estado: "PENDIENTE", at: orden.createdAt });

/** PagoExitoso or PagoFallido. */
export const settledEvent = (
  orden: Orden,
  { estado, motivo, at }: { estado: "EXITOSO" | "FALLIDO"; motivo: string | null; at: Date },
): OutgoingMessage =>
  pagoEvent(estado === "EXITOSO" ? paymentsEvtCompleted : paymentsEvtFailed, orden, { estado, motivo, at });

/** PagoDevuelto. */
export const returnedEvent = (orden: Orden, { motivo, at }: { motivo: string; at: Date }): OutgoingMessage =>
  pagoEvent(paymentsEvtReturned, orden, { estado: "EXITOSO", motivo, at, version: RETURNED_VERSION });

interface Told {
  readonly estado: Estado;
  readonly motivo?: string | null;
  readonly at: Date;
  readonly version?: number;
}

/** Each of them is told once of a Pago; so its id follows from the Pago's. */
function pagoEvent(
  contract: EventContract<PagoEvent>,
  orden: Orden,
  { estado, motivo = null, at, version = VERSION[estado] }: Told,
): OutgoingMessage {
  const { idPago, idAfiliado, monto, moneda, referenciaPago, traceId } = orden;
  const body: PagoEvent = {
    id_pago: idPago,
    id_afiliado: idAfiliado,
    monto: formatAmount(monto, moneda),
    moneda,
    // Erased with the afiliado's name.
    referencia_pago: referenciaPago ?? "erased",
    estado,
    ...(motivo === null ? {} : { motivo }),
    version,
    occurred_at: at.toISOString(),
    trace_id: traceId,
  };
  return eventMessage(contract, body, { messageId: derivedId(idPago, contract.name), traceId });
}
