import type Stripe from "stripe";
import { motivoOf } from "../domain/pago.js";
import type { GatewayPayout } from "./pasarela.js";

/** The name under which a payout bears the id of its Pago. */
export const METADATA_ID = "id_pago";

/** Stripe counts all three currencies in hundredths, as ISO 4217 does. */
const STRIPE_CURRENCY = { USD: "usd", EUR: "eur", COP: "cop" } as const;

export const currencyOf = (moneda: string): string =>
  STRIPE_CURRENCY[moneda as keyof typeof STRIPE_CURRENCY] ?? moneda.toLowerCase();

/** What of a payout matters; what the gateway makes up must not be taken for ours, so its fields are looked at one by one. */
export function payoutOf(payout: Stripe.Payout): GatewayPayout & { readonly idPago: string | undefined } {
  const { id, amount, currency, status, failure_code: code, metadata } = payout;
  if (typeof id !== "string" || !Number.isSafeInteger(amount) || typeof currency !== "string") {
    throw new Error("the gateway answered with no payout");
  }
  return {
    gatewayId: id,
    status: statusOf(status),
    monto: BigInt(amount),
    moneda: currency.toUpperCase(),
    motivo: motivoOf(code, status === "canceled" ? "canceled" : "failed"),
    idPago: metadata?.[METADATA_ID],
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
