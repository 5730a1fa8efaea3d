import type Stripe from "stripe";
import { motivoOf } from "../domain/pago.js";
import type { GatewayPayout } from "./pasarela.js";

/** The name under which a payout bears the id of its Pago. */
export const METADATA_ID = "id_pago";
/** The name under which it bears the key that it was sent under, which gateways forget after a day. */
export const METADATA_KEY = "clave";

/** Stripe counts all three currencies in hundredths, as ISO 4217 does. */
const STRIPE_CURRENCY = { USD: "usd", EUR: "eur", COP: "cop" } as const;

export const currencyOf = (moneda: string): string =>
  STRIPE_CURRENCY[moneda as keyof typeof STRIPE_CURRENCY] ?? moneda.toLowerCase();

/** As Stripe makes names, of payouts and of what it tells; what else may come in their place PostgreSQL need not take. */
export const isName = (text: unknown): text is string =>
  typeof text === "string" && /^[\x21-\x7e]{1,255}$/.test(text);

/** What of a payout matters; what the gateway makes up must not be taken for ours, so its fields are looked at one by one. @throws Error when it is none */
export function payoutOf(payout: Stripe.Payout): GatewayPayout & { readonly idPago: string | undefined } {
  const { id, amount, currency, status, failure_code: code, metadata } = payout;
  const idPago: unknown = metadata?.[METADATA_ID];
  if (!isName(id) || !Number.isSafeInteger(amount) || typeof currency !== "string") {
    throw new Error("the gateway answered with no payout");
  }
  return {
    gatewayId: id,
    status: statusOf(status),
    monto: BigInt(amount),
    moneda: currency.toUpperCase(),
    motivo: motivoOf(typeof code === "string" ? code : null, status === "canceled" ? "canceled" : "failed"),
    idPago: typeof idPago === "string" ? idPago : undefined,
  };
}

function statusOf(status: string): GatewayPayout["status"] {
  switch (status) {
    case "paid":
      return "paid";
    case "failed":
    case "canceled":
      return "failed";
    default:
      return "open"; // pending, in_transit
  }
}
