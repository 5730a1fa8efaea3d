import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../lib/settings/define.js";
import { serviceName } from "../contracts/report.js";

const schema = z.object({
  SERVICE_NAME: serviceName.default("payments-a").describe("Whose windows a reporter opens"),
  REPORTER_CONNECTIONS: whole(2, 100).default(3).describe("Connections of a reporter to PostgreSQL"),
  // So that a window of 30 takes a day at most, and an audit less than an interval.
  REPORTER_INTERVAL_MS: whole(100, 2_880_000)
    .default(10_000)
    .describe("Between two reports of a window; a window has 6 to 30 of them"),
});

export interface ReporterSettings extends z.infer<typeof schema> {}

export const reporterSettings: SettingsDeclaration<ReporterSettings> = {
  schema,
  prefixes: ["SERVICE_NAME", "REPORTER_CONNECTIONS", "REPORTER_INTERVAL_"],
};
