import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../lib/settings/define.js";
import { lakeSettings } from "./lake/settings.js";
import { learningSettings } from "./learning/settings.js";

const schema = z.object({
  INGEST_CONNECTIONS: whole(1, 100)
    .default(4)
    .describe("Connections of ingest-service to PostgreSQL for HTTP and for events that are tried again"),
  INGEST_RATE_PER_MINUTE: whole(0, 1_000_000_000)
    .default(10)
    .describe("Requests with events that a client without an API key may send in a minute; 0: any number"),
  INGEST_EVENTS_PER_MINUTE: whole(0, 1_000_000_000)
    .default(600_000)
    .describe("Events that a client may send in a minute, by its API key or else its address; 0: any number"),
  INGEST_RETRY_EVERY_S: whole(1, 86_400)
    .default(300)
    .describe("How often events that nobody understood are tried again, in seconds"),
  ...learningSettings,
  ...lakeSettings,
});

export interface IngestSettings extends z.infer<typeof schema> {}

export const ingestSettings: SettingsDeclaration<IngestSettings> = {
  schema,
  // Of names that others use too just our own: OPENAI_ORG_ID of somebody's environment is no typing error.
  prefixes: [
    "INGEST_",
    "DATALAKE_",
    "POLL_",
    ...Object.keys(learningSettings).filter((name) => !name.startsWith("INGEST_")),
  ],
};
