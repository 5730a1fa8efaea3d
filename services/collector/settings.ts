import { z } from "zod";
import { type SettingsDeclaration, secret, whole } from "../../lib/settings/define.js";

const schema = z.object({
  COLLECTOR_CONNECTIONS: whole(1, 100)
    .default(4)
    .describe("Connections of collector-service to PostgreSQL for HTTP; events have six of their own"),
  COLLECTOR_SECRETS: secret.describe(
    "source=whsec_…, comma separated: partners and what they sign with, two of one source while it changes; required when HTTP_HOST is not loopback",
  ),
  COLLECTOR_EVENTS_PER_MINUTE: whole(0, 1_000_000_000)
    .default(600_000)
    .describe("Events that a source may tell in a minute; 0: any number"),
  COLLECTOR_RESEND_AFTER_S: whole(1, 86_400)
    .default(60)
    .describe(
      "After so many seconds without an answer of campaigns or payouts an event is told again, then after twice that",
    ),
});

export interface CollectorSettings extends z.infer<typeof schema> {}

export const collectorSettings: SettingsDeclaration<CollectorSettings> = {
  schema,
  prefixes: ["COLLECTOR_"],
};
