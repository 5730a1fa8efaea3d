import { counter, histogram } from "../../lib/observability/registry.js";

import { learningMetrics } from "./learning/metrics.js";

export const ingestMetrics = {
  ...learningMetrics,
  events: counter(
    "ingest_events_total",
    "Providers' events that were taken in, by source, status and method; repeat: it had come before, and nothing was changed",
    "source",
    "status",
    "method",
    "repeat",
  ),
  unprocessed: counter(
    "ingest_unprocessed_total",
    "Events that were stored and not understood, by why; CONTRADICTION: the hint names one provider, the shape another",
    "code",
  ),
  retried: counter(
    "ingest_retried_total",
    "Events that were tried again, by outcome: understood, open, given_up (one attempt is left, then it is a dead letter)",
    "outcome",
  ),
  lakeRows: counter(
    "ingest_lake_rows_total",
    "Rows of the data lake, by outcome: taken, and marked; refused, and left for the next poll",
    "outcome",
  ),
  enterSeconds: histogram("ingest_enter_seconds", "Entering a group of bodies, with its commit", {
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  }),
};

/** By which way events come. */
export const SOURCES = ["api", "batch", "lake"] as const;

/** What becomes of rows of the data lake. */
export const LAKE_OUTCOMES = ["taken", "refused"] as const;

export const RETRY_OUTCOMES = ["understood", "open", "given_up"] as const;
