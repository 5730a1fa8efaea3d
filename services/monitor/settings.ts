import { z } from "zod";
import { type SettingsDeclaration, secret, whole } from "../../lib/settings/define.js";
import { problemsOf, type WebhookTarget } from "../../lib/webhook/target.js";

const fields = z.object({
  MONITOR_CONNECTIONS: whole(2, 100)
    .default(4)
    .describe(
      "Connections of monitor-service to PostgreSQL; one of them is left to sweeps and whoever else asks",
    ),
  MONITOR_GRACE_MS: whole(0, 3_600_000)
    .default(5_000)
    .describe(
      "After a window's end its reports have an interval, in which the last may be late, and so many milliseconds before it is looked at",
    ),
  MONITOR_SETTLE_MS: whole(0, 600_000)
    .default(15_000)
    .describe(
      "After an outage of RabbitMQ, and at the start, no window is decided for so many milliseconds: reporters may come back later",
    ),
  MONITOR_SWEEP_EVERY_MS: whole(100, 3_600_000)
    .default(1_000)
    .describe("How often monitor-service looks for windows that are over, by itself"),
  MONITOR_UNKNOWN_AFTER_S: whole(1, 600)
    .default(60)
    .describe("A window of which nobody can say for so long whether its reports are on their way is UNKNOWN"),
  MONITOR_WEBHOOK_URL: z
    .string()
    .default("")
    .describe("Where an alert is told by a signed webhook, https; empty: nowhere"),
  MONITOR_WEBHOOK_SECRET: secret.describe(
    "Keys that sign it, whsec_ and 24 to 64 bytes in base64; several, parted by blanks, while one takes the other's place",
  ),
  MONITOR_WEBHOOK_ALLOW_INTERNAL: z
    .enum(["false", "true"])
    .default("false")
    .describe("Whether it may go to an address that is not of the public Internet, and over http"),
  MONITOR_WEBHOOK_KEEP_S: whole(0, 31_536_000)
    .default(86_400)
    .describe("How many seconds a webhook is kept after it was delivered"),
});

type Fields = z.infer<typeof fields>;

const schema = fields.superRefine((settings, context) => {
  const target = webhookTarget(settings);
  const { url, secrets } = target === undefined ? {} : problemsOf(target);
  for (const [name, message] of [
    ["MONITOR_WEBHOOK_URL", url],
    ["MONITOR_WEBHOOK_SECRET", secrets],
  ] as const) {
    if (message !== undefined) {
      context.addIssue({ code: "custom", path: [name], message });
    }
  }
});

export interface MonitorSettings extends Fields {}

/** Where alerts are told; undefined: nowhere. */
export function webhookTarget(settings: Fields): WebhookTarget | undefined {
  const { MONITOR_WEBHOOK_URL: url, MONITOR_WEBHOOK_SECRET: secrets } = settings;
  const allowInternal = settings.MONITOR_WEBHOOK_ALLOW_INTERNAL === "true";
  return url === "" ? undefined : { url, secrets, allowInternal };
}

export const monitorSettings: SettingsDeclaration<MonitorSettings> = {
  schema,
  prefixes: [
    "MONITOR_CONNECTIONS",
    "MONITOR_GRACE_",
    "MONITOR_SETTLE_",
    "MONITOR_SWEEP_",
    "MONITOR_UNKNOWN_",
    "MONITOR_WEBHOOK_",
  ],
};
