import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../lib/settings/define.js";

const schema = z.object({
  CAMPAIGNS_CONNECTIONS: whole(1, 100)
    // At 200 requests/s with one node left it makes 100 campaigns a second, each a transaction of some 10 ms, and the announcer and the
    // outbox take one each. Six leave room for what waits when a node is given up (0.85 s of its requests). Checks take none.
    .default(8)
    .describe("Connections of campaign-service to PostgreSQL for HTTP; events have four of their own"),
});

export interface CampaignsSettings extends z.infer<typeof schema> {}

export const campaignsSettings: SettingsDeclaration<CampaignsSettings> = {
  schema,
  prefixes: ["CAMPAIGNS_"],
};
