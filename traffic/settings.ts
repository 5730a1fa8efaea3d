import { z } from "zod";
import type { Settings } from "../lib/settings/base.js";
import { type SettingsDeclaration, secret } from "../lib/settings/define.js";

const schema = z.object({
  TRAFFIC_API_KEY: secret.describe("API key that `payments traffic` sends, where the target wants one"),
  TRAFFIC_SECRETS: secret.describe(
    "COLLECTOR_SECRETS of the target, with which `payments traffic` signs partners' events; unset: nobody signs",
  ),
});

export interface TrafficSettings extends Settings, Own {}

interface Own extends z.infer<typeof schema> {}

export const trafficSettings: SettingsDeclaration<Own> = { schema, prefixes: ["TRAFFIC_"] };
