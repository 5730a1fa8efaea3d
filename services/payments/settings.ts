import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../lib/settings/define.js";

const schema = z.object({
  PAYMENTS_CONNECTIONS: whole(1, 100)
    .default(4)
    .describe("Connections of payment-service to PostgreSQL for HTTP; events have four of their own"),
  PAYMENTS_RESEND_AFTER_S: whole(1, 86_400)
    .default(60)
    .describe("After so many seconds without an answer of fraud or wallet a payment's command is sent again"),
  PAYMENTS_GIVE_UP_S: whole(1, 604_800)
    .default(900)
    .describe("After so many seconds a payment that is still pending is declined, and refunded if need be"),
});

export interface PaymentsSettings extends z.infer<typeof schema> {}

export const paymentsSettings: SettingsDeclaration<PaymentsSettings> = {
  schema,
  prefixes: ["PAYMENTS_CONNECTIONS", "PAYMENTS_RESEND_", "PAYMENTS_GIVE_UP_"],
};
