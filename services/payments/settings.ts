import { z } from "zod";
import { type SettingsDeclaration, secret, whole } from "../../lib/settings/define.js";
import { problemsOf, type WebhookTarget } from "../../lib/webhook/target.js";

const fields = z.object({
  PAYMENTS_CONNECTIONS: whole(1, 100)
    .default(4)
    .describe("Connections of payment-service to PostgreSQL for HTTP; events have four of their own"),
  PAYMENTS_RESEND_AFTER_S: whole(1, 86_400)
    .default(60)
    .describe("After so many seconds without an answer of fraud or wallet a payment's command is sent again"),
  PAYMENTS_GIVE_UP_S: whole(1, 604_800)
    .default(900)
    .describe("After so many seconds a payment that is still pending is declined, and refunded if need be"),
  PAYMENTS_WEBHOOK_URL: z
    .string()
    .default("")
    .describe("Where a payment's result is told by a signed webhook, https; empty: nowhere"),
  PAYMENTS_WEBHOOK_SECRET: secret.describe(
    "Keys that sign it, whsec_ and 24 to 64 bytes in base64; several, parted by blanks, while one takes the other's place",
  ),
  PAYMENTS_WEBHOOK_ALLOW_INTERNAL: z
    .enum(["false", "true"])
    .default("false")
    .describe("Whether it may go to an address that is not of the public Internet, and over http"),
  PAYMENTS_WEBHOOK_CONCURRENCY: whole(1, 256).default(16).describe("Webhooks that a process sends at a time"),
  PAYMENTS_WEBHOOK_KEEP_S: whole(0, 31_536_000)
    .default(86_400)
    .describe("How many seconds a webhook is kept after it was delivered"),
});

type Fields = z.infer<typeof fields>;

const schema = fields.superRefine((settings, context) => {
  const target = webhookTarget(settings);
  const { url, secrets } = target === undefined ? {} : problemsOf(target);
  for (const [name, message] of [
    ["PAYMENTS_WEBHOOK_URL", url],
    ["PAYMENTS_WEBHOOK_SECRET", secrets],
  ] as const) {
    if (message !== undefined) {
      context.addIssue({ code: "custom", path: [name], message });
    }
  }
});

export interface PaymentsSettings extends Fields {}

/** Where results are told; undefined: nowhere. */
export function webhookTarget(settings: Fields): WebhookTarget | undefined {
  const { PAYMENTS_WEBHOOK_URL: url, PAYMENTS_WEBHOOK_SECRET: secrets } = settings;
  const allowInternal = settings.PAYMENTS_WEBHOOK_ALLOW_INTERNAL === "true";
  return url === "" ? undefined : { url, secrets, allowInternal };
}

export const paymentsSettings: SettingsDeclaration<PaymentsSettings> = {
  schema,
  prefixes: ["PAYMENTS_CONNECTIONS", "PAYMENTS_RESEND_", "PAYMENTS_GIVE_UP_", "PAYMENTS_WEBHOOK_"],
};
