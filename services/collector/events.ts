import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { derivedId, newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import {
  collectorEvtClick,
  collectorEvtConversion,
  collectorEvtImpression,
  collectorEvtPayment,
} from "../contracts/collector_evt.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";
import { commissionReference, type PartnerEvent } from "./domain/event.js";

/** `collector.evt.<type>`. */
export function toldEvent(event: PartnerEvent, traceId: string, messageId = newId()): OutgoingMessage {
  const { source, event_id, session_id, occurred_at } = event;
  const common = { source, event_id, session_id, occurred_at, trace_id: traceId };
  const sending = { messageId, traceId };
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

/** The same event told once more, to be decided. @param messageId of the answer that was not believed */
export const toldAgain = (event: PartnerEvent, traceId: string, messageId: string): OutgoingMessage =>
  toldEvent(event, traceId, derivedId(messageId, "told again"));

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
export function payoutRequestedEvent(payout: AskedPayout, traceId: string): OutgoingMessage {
  const { idAfiliado, referenciaPago, monto, moneda } = payout;
  const body = {
    id_afiliado: idAfiliado,
    monto,
    moneda,
    referencia_pago: referenciaPago,
    trace_id: traceId,
  };
  return eventMessage(payoutsPayoutRequested, body, { messageId: newId(), traceId });
}
