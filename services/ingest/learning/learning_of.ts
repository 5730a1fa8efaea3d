import { RuleSet } from "../domain/rule_set.js";
import { RULE_SET } from "../domain/rules/index.js";
import type { IngestSettings } from "../settings.js";
import { Learning, type LearningOptions } from "./learning.js";
import { OpenAiModel } from "./model.js";

const NO_RULES = new RuleSet(0, []);

/** What understands events in a process with these settings. */
export function learningOf(
  settings: IngestSettings,
  options: Pick<LearningOptions, "pool" | "metrics" | "logger">,
): Learning {
  const { AI_TIMEOUT_SECONDS: timeoutS, AI_MAX_RETRIES: maxRetries, OPENAI_API_KEY: apiKey } = settings;
  const model =
    settings.ENABLE_AI_NORMALIZATION === "true" && apiKey !== ""
      ? new OpenAiModel({
          apiKey,
          baseUrl: settings.OPENAI_BASE_URL,
          model: settings.OPENAI_MODEL,
          timeoutS,
          maxRetries,
        })
      : undefined;
  return new Learning({
    ...options,
    model,
    rules: settings.ENABLE_RULE_BASED_NORMALIZATION === "true" ? RULE_SET : NO_RULES,
    waitMs: settings.INGEST_AI_WAIT_MS,
    // As a schema, then as plain JSON.
    callMs: 2 * timeoutS * 1_000 * (maxRetries + 1),
    callsPerHour: settings.INGEST_AI_CALLS_PER_HOUR,
  });
}
