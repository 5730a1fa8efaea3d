import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../lib/settings/define.js";
import { VERSIONS, type Version } from "./domain/version.js";

const schema = z.object({
  REPORTS_CONNECTIONS: whole(1, 100)
    .default(4)
    .describe("Connections of report-service to PostgreSQL for HTTP; events have eight of their own"),
  REPORTS_PIN: z
    .enum(["", ...VERSIONS])
    .default("")
    .describe(
      "v1 or v2: the version that this process answers with where a request names none; blank: the active one",
    ),
});

export interface ReportsSettings extends z.infer<typeof schema> {}

export const reportsSettings: SettingsDeclaration<ReportsSettings> = { schema, prefixes: ["REPORTS_"] };

/** @returns null: whichever is active */
export const pinOf = ({ REPORTS_PIN }: ReportsSettings): Version | null => REPORTS_PIN || null;
