import { minorDigitsOf, parseAmount } from "../../../lib/domain/money.js";
import type { EventContract, ReceivedEvent } from "../../../lib/messaging/event.js";
import {
  type CampaignEvent,
  campaignsEvtActivated,
  campaignsEvtCreated,
  campaignsEvtUpdated,
} from "../../contracts/campaigns_evt.js";
import {
  type PagoEvent,
  paymentsEvtCompleted,
  paymentsEvtFailed,
  paymentsEvtPending,
  paymentsEvtReturned,
} from "../../contracts/payments_evt.js";

/** What an event says of an aggregate, as the archive keeps it. */
export interface Fact {
  readonly kind: "payout" | "campaign";
  readonly aggregateId: string;
  readonly version: number;
  readonly event: string;
  /** Of the currency of all its amounts. */
  readonly minorDigits: number;
  readonly body: object;
  readonly messageId: string;
}

/** An event that reports are made of. */
export interface Told<Body> {
  readonly event: EventContract<Body>;
  /** @throws CoreError AMOUNT_INVALID, CURRENCY_UNKNOWN: then it is in no sum, and not in the archive */
  readonly factOf: (event: ReceivedEvent<Body>) => Fact;
}

const aboutPayout = (event: EventContract<PagoEvent>): Told<PagoEvent> => ({
  event,
  factOf: ({ body, messageId }) => {
    const { id_pago, version, monto, moneda } = body;
    parseAmount(monto, moneda);
    const about = {
      kind: "payout",
      aggregateId: id_pago,
      version,
      minorDigits: minorDigitsOf(moneda),
    } as const;
    return { ...about, event: event.name, body, messageId };
  },
});

const aboutCampaign = (event: EventContract<CampaignEvent>): Told<CampaignEvent> => ({
  event,
  factOf: ({ body, messageId }) => {
    const { campaign_id, version, budget, spend, currency } = body;
    for (const amount of [budget, spend]) {
      parseAmount(amount, currency, { leastMinor: 0n });
    }
    const minorDigits = minorDigitsOf(currency);
    const about = { kind: "campaign", aggregateId: campaign_id, version, minorDigits } as const;
    return { ...about, event: event.name, body, messageId };
  },
});

// biome-ignore lint/suspicious/noExplicitAny: each event has a body of its own
export const TOLD: readonly Told<any>[] = [
  ...[paymentsEvtPending, paymentsEvtCompleted, paymentsEvtFailed, paymentsEvtReturned].map(aboutPayout),
  ...[campaignsEvtCreated, campaignsEvtActivated, campaignsEvtUpdated].map(aboutCampaign),
];
