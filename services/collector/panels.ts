import { graph, orNone, rate, stat } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";
import { COLLECTOR_QUEUES } from "./queues.js";

export const collectorPanels = () =>
  servicePanels({
    service: "collector-service",
    http: true,
    queues: COLLECTOR_QUEUES,
    schema: "collector",
    business: [
      graph(
        "Partners' events a second, by outcome",
        "ops",
        "duplicate: told before, harmless. conflict: another event under an id that was used. refused: see the answer's reason.",
        { "{{outcome}}": orNone(rate("collector_events_total", "outcome"), "outcome") },
      ),
      graph(
        "Partners' events a second, by type",
        "ops",
        "none: it has no type that is known, or was refused.",
        { "{{type}}": orNone(rate("collector_events_total", "type"), "type") },
      ),
      graph(
        "Partners' requests refused whole",
        "ops",
        "By code: a signature that is missing, old, wrong or was seen before; a source's limit.",
        { "{{code}}": orNone(rate("collector_requests_refused_total", "code"), "code") },
      ),
      stat(
        "Oldest event without an answer",
        "s",
        "Of those that campaigns or payouts answers. Above 5 minutes: see DeliveryUnanswered.",
        "max by (destination) (payments_open_delivery_oldest_age_seconds)",
        { thresholds: [60, 300] },
      ),
    ],
  });
