import { Observer } from "../../lib/messaging/observer.js";
import { register } from "../../lib/observability/registry.js";
import { defineModule } from "../../lib/runtime/module.js";
import { OBSERVED, raisedBy } from "./domain/raised.js";
import { metricsMetrics } from "./metrics.js";
import { metricsPanels } from "./panels.js";

/** How many payments there are and what becomes of them. Decides nothing, keeps nothing. */
export const metrics = defineModule({
  name: "metrics",
  metrics: metricsMetrics,
  panels: metricsPanels,
  start: ({ settings, logger, registry, workerId }) => {
    const counters = register(registry, metricsMetrics);
    const observer = new Observer({
      address: settings,
      logger,
      service: "metrics-service",
      instance: workerId,
      events: OBSERVED,
      onEvent: (event, body) => {
        for (const name of raisedBy(event, body)) {
          counters[name].inc();
        }
      },
    });
    return { parts: [observer] };
  },
});
