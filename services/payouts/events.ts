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
import { type Estado, type Orden, type Pago, RETURNED_VERSION, VERSION } from "./domain/pago.js";

/** A Pago was accepted. */
export const pendingEvent = (orden: Orden): OutgoingMessage =>
  pagoEvent(paymentsEvtPending, orden, { estado: "PENDIENTE", at: orden.createdAt });

/** PagoExitoso or PagoFallido. */
export const settledEvent = (
  orden: Orden,
  settled: Told & { readonly estado: "EXITOSO" | "FALLIDO" },
): OutgoingMessage =>
  pagoEvent(settled.estado === "EXITOSO" ? paymentsEvtCompleted : paymentsEvtFailed, orden, settled);

/** PagoDevuelto. */
export const returnedEvent = (orden: Orden, returned: Omit<Told, "estado" | "version">): OutgoingMessage =>
  pagoEvent(paymentsEvtReturned, orden, { ...returned, estado: "EXITOSO", version: RETURNED_VERSION });

/** What was told of a Pago last, once more: as it was, under its own id. */
export function latestEvent(pago: Pago): OutgoingMessage {
  const { estado, motivo, devuelto, updatedAt } = pago;
  if (devuelto !== null) {
    return returnedEvent(pago, { ...devuelto, repeat: true });
  }
  return estado === "EXITOSO" || estado === "FALLIDO"
    ? settledEvent(pago, { estado, motivo, at: updatedAt, repeat: true })
    : pagoEvent(paymentsEvtPending, pago, { estado: "PENDIENTE", at: pago.createdAt, repeat: true });
}

interface Told {
  readonly estado: Estado;
  readonly motivo?: string | null;
  readonly at: Date;
  readonly version?: number;
  /** It was told before. */
  readonly repeat?: boolean;
}

/** Each of them is told once of a Pago; so its id follows from the Pago's. */
function pagoEvent(
  contract: EventContract<PagoEvent>,
  orden: Orden,
  { estado, motivo = null, at, version = VERSION[estado], repeat = false }: Told,
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
  return eventMessage(contract, body, { messageId: derivedId(idPago, contract.name), traceId, repeat });
}
