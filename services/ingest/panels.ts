import { graph, orNone, rate, stat } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";
import { INGEST_QUEUES } from "./queues.js";

export const ingestPanels = () =>
  servicePanels({
    service: "ingest-service",
    http: true,
    queues: INGEST_QUEUES,
    schema: "ingest",
    business: [
      graph(
        "Providers' events a second, by status",
        "ops",
        "UNPROCESSED: stored, and not understood so far.",
        {
          "{{status}}": orNone(rate("ingest_events_total", "status"), "status"),
        },
      ),
      graph(
        "Providers' events a second, by method",
        "ops",
        "rule, learned, ai, none; ai is meant to become learned.",
        { "{{method}}": orNone(rate("ingest_events_total", "method"), "method") },
      ),
      graph(
        "Providers' events that were not understood, a second, by why",
        "ops",
        "UNRECOGNISED: no rule knows the shape. UNKNOWN_VALUE: a rule lacks a value. CONTRADICTION: hint and shape disagree.",
        { "{{code}}": orNone(rate("ingest_unprocessed_total", "code"), "code") },
      ),
      graph(
        "Calls of the model a minute, by outcome",
        "short",
        "Meant to fall to none. new, extended, confirmed: it taught something. refused: by the checks. failed: no answer, or prose.",
        { "{{outcome}}": orNone(`60 * ${rate("ingest_ai_calls_total", "outcome")}`, "outcome") },
      ),
      graph(
        "Rows of the data lake a second, by outcome",
        "ops",
        "taken: their events are stored, and they are marked. refused: see the log.",
        { "{{outcome}}": orNone(rate("ingest_lake_rows_total", "outcome"), "outcome") },
      ),
      stat(
        "Highest share of amounts in 00",
        "percentunit",
        "Of a provider and currency, last seven days. Near 100 %: see IngestUnitSuspect.",
        "max(payments_ingest_round_amounts_share)",
        { thresholds: [0.9, 0.95] },
      ),
    ],
  });
