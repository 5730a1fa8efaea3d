import { z } from "zod";
import { amount, reference } from "../../lib/domain/fields.js";
import type { EventContract } from "../../lib/messaging/event.js";
import { campaignId, eventId, moneda, partnerSource, traceId } from "./fields.js";

const common = {
  source: partnerSource,
  event_id: eventId,
  session_id: reference.optional(),
  occurred_at: z.iso.datetime({ offset: true }),
  trace_id: traceId.optional(),
};

const seen = z.object({ ...common, campaign_id: campaignId });

const conversion = z.object({
  ...common,
  campaign_id: campaignId,
  id_afiliado: reference,
  spend: amount,
  commission: amount,
  moneda,
});

const payment = z.object({
  ...common,
  id_afiliado: reference,
  monto: amount,
  moneda,
  referencia_pago: reference,
});

type Common = { readonly source: string; readonly event_id: string };

const about = <Body extends Common>(name: string, schema: z.ZodType<Body>): EventContract<Body> => ({
  name,
  version: 1,
  schema,
  key: ({ source, event_id }) => `${source}/${event_id}`,
});

/** collector → campaigns: what a partner saw, stored and never told twice under another id. */
export const collectorEvtClick = about("collector.evt.click", seen);
export const collectorEvtImpression = about("collector.evt.impression", seen);
export const collectorEvtConversion = about("collector.evt.conversion", conversion);
/** For those who watch; the Pago itself is asked for by `payouts.payout.requested`. */
export const collectorEvtPayment = about("collector.evt.payment", payment);
