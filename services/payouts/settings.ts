import { z } from "zod";
import { type SettingsDeclaration, secret, text, whole } from "../../lib/settings/define.js";

const schema = z.object({
  PAYOUTS_CONNECTIONS: whole(1, 100)
    .default(4)
    .describe(
      "Connections of payout-service to PostgreSQL for HTTP and sending; events have two of their own",
    ),
  PAYOUTS_CONCURRENCY: whole(1, 1_000)
    .default(64)
    .describe("Pagos that a process of payout-service has in hand at a time"),
  PAYOUTS_CALL_TIMEOUT_S: whole(1, 300)
    .default(30)
    .describe("After so many seconds without an answer of the gateway nobody knows what it made of a Pago"),
  PAYOUTS_PROBE_AFTER_S: whole(1, 3_600)
    .default(60)
    .describe("After 5 failures in a row the gateway is left alone for so many seconds, then tried once"),
  PAYOUTS_ASK_AFTER_S: whole(1, 86_400)
    .default(30)
    .describe(
      "After so many seconds without a webhook the gateway is asked what became of a Pago, then after twice that",
    ),
  PAYOUTS_GIVE_UP_S: whole(5, 86_400)
    .default(300)
    .describe(
      "For so many seconds the gateway is asked about a Pago that ended in an error of its, before the Pago is FALLIDO",
    ),
  PAYOUTS_BOOK_URL: z
    .string()
    .default("")
    .describe("Where payments audit reads the gateway's own book; blank: it has none"),
  STRIPE_API_KEY: secret.describe("Without one no Pago is sent: all stay PENDIENTE"),
  STRIPE_API_BASE: text
    .default("https://api.stripe.com")
    .describe("The gateway: Stripe, or a simulator that speaks as it does"),
  STRIPE_WEBHOOK_SECRET: secret.describe(
    "Signs webhooks of the gateway (whsec_…); without one none is taken, and Pagos settle by asking",
  ),
});

export interface PayoutsSettings extends z.infer<typeof schema> {}

export const payoutsSettings: SettingsDeclaration<PayoutsSettings> = {
  schema,
  prefixes: ["PAYOUTS_", "STRIPE_"],
};
