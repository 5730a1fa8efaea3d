import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { newId } from "../../lib/domain/ids.js";
import { type EventOptions, eventMessage } from "../../lib/messaging/event.js";
import {
  collectorEvtClick,
  collectorEvtConversion,
  collectorEvtImpression,
  collectorEvtPayment,
} from "../contracts/collector_evt.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";
import { commissionReference, type PartnerEvent } from "./domain/event.js";

/** Of a message that is sent once more: observers skip it. */
type Again = Pick<EventOptions, "repeat"> & Partial<Pick<EventOptions, "messageId">>;

/** `collector.evt.<type>`. */
export function toldEvent(event: PartnerEvent, traceId: string, again: Again = {}): OutgoingMessage {
  const { source, event_id, session_id, occurred_at } = event;
  const common = { source, event_id, session_id, occurred_at, trace_id: traceId };
  const sending = { messageId: newId(), traceId, ...again };
  switch (event.type) {
    case "click":
      return eventMessage(collectorEvtClick, { ...common, ...event.data }, sending);
    case "impression":
      return eventMessage(collectorEvtImpression, { ...common, ...event.data }, sending);
    case "conversion":
      return eventMessage(collectorEvtConversion, { ...common, ...event.data }, sending);
    case "payment":
      return eventMessage(collectorEvtPayment, { ...common, ...event.data }, sending);
  }
}

/** A payout that an event asks for: its own, or the commission of a conversion. */
export interface AskedPayout {
  readonly idAfiliado: string;
  readonly referenciaPago: string;
  /** Decimal text with all digits. */
  readonly monto: string;
  readonly moneda: "USD" | "EUR" | "COP";
}

type Paying = Extract<PartnerEvent, { type: "conversion" | "payment" }>;

export function payoutOf({ type, source, event_id, data }: Paying): AskedPayout {
  const { id_afiliado: idAfiliado, moneda } = data;
  return type === "payment"
    ? { idAfiliado, moneda, referenciaPago: data.referencia_pago, monto: data.monto }
    : { idAfiliado, moneda, referenciaPago: commissionReference(source, event_id), monto: data.commission };
}

/** `payouts.payout.requested`. */
export function payoutRequestedEvent(
  payout: AskedPayout,
  traceId: string,
  again: Again = {},
): OutgoingMessage {
  const { idAfiliado, referenciaPago, monto, moneda } = payout;
  const body = {
    id_afiliado: idAfiliado,
    monto,
    moneda,
    referencia_pago: referenciaPago,
    trace_id: traceId,
  };
  return eventMessage(payoutsPayoutRequested, body, { messageId: newId(), traceId, ...again });
}
