import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../lib/settings/define.js";

const schema = z.object({
  CAMPAIGNS_CONNECTIONS: whole(1, 100)
    .default(4)
    .describe("Connections of campaign-service to PostgreSQL for HTTP; events have four of their own"),
});

export interface CampaignsSettings extends z.infer<typeof schema> {}

export const campaignsSettings: SettingsDeclaration<CampaignsSettings> = {
  schema,
  prefixes: ["CAMPAIGNS_"],
};
