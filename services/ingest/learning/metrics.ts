import { counter, histogram } from "../../../lib/observability/registry.js";

export const learningMetrics = {
  calls: counter(
    "ingest_ai_calls_total",
    "Calls of the model, by purpose (learn, confirm) and outcome: new, extended, confirmed, rival, refused (by the checks), failed",
    "purpose",
    "outcome",
  ),
  callSeconds: histogram(
    "ingest_ai_call_seconds",
    "From a question to the model's answer, repetitions included",
    {
      buckets: [0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 30],
    },
  ),
};
