import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../lib/settings/define.js";

const schema = z.object({
  FRAUD_BLOCKED_CUSTOMERS: z
    .string()
    .default("")
    .describe("Customers whose payments fraud-service declines, comma separated"),
  FRAUD_VELOCITY_PER_MINUTE: whole(0, 100)
    .default(0)
    .describe("Payments of a customer in a minute from which each adds 0.4 to its score; 0 for any number"),
});

export interface FraudSettings extends z.infer<typeof schema> {}

export const fraudSettings: SettingsDeclaration<FraudSettings> = { schema, prefixes: ["FRAUD_"] };
