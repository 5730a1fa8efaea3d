import { z } from "zod";
import { secret, text, whole } from "../../../lib/settings/define.js";

/** As other programs write it, too: True. */
const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum(["true", "false"]));

/** Of the model and of what it teaches; part of the module's. */
export const learningSettings = {
  ENABLE_RULE_BASED_NORMALIZATION: flag
    .default("true")
    .describe(
      "Whether events are understood by rules; without them learned mappings and the model are all there is",
    ),
  ENABLE_AI_NORMALIZATION: flag
    .default("true")
    .describe("Whether a model is asked about events that no rule knows; it takes an OPENAI_API_KEY besides"),
  OPENAI_API_KEY: secret.describe(
    "Key of an OpenAI-compatible endpoint; without one events are understood by rules alone",
  ),
  OPENAI_MODEL: text.default("gpt-4o-mini").describe("The model that is asked for mappings"),
  OPENAI_BASE_URL: text
    .default("https://api.openai.com/v1")
    .describe("Where the model is: OpenAI, or whatever speaks as it does"),
  AI_TIMEOUT_SECONDS: whole(1, 300)
    .default(10)
    .describe("After so many seconds without an answer the model is asked again"),
  AI_MAX_RETRIES: whole(0, 10)
    .default(2)
    .describe("How often a call of the model is repeated that failed or was refused for now"),
  INGEST_AI_WAIT_MS: whole(0, 30_000)
    .default(1_500)
    .describe(
      "How long a request waits for the model; then it is answered UNPROCESSED, and finished in the background",
    ),
  INGEST_AI_CALLS_PER_HOUR: whole(1, 1_000_000)
    .default(600)
    .describe(
      "Calls of the model at most, by all processes together: what a flood of unknown shapes may cost",
    ),
};
