import { healthRoute } from "../../../lib/http/health.js";
import type { Route } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import type { Part } from "../../../lib/runtime/lifecycle.js";
import { getEvent } from "./get_event.js";
import { type PostEventsOptions, postEvents } from "./post_events.js";

export interface CollectorResources extends PostEventsOptions {
  readonly pool: Pool;
  readonly parts: readonly Part[];
}

export const collectorRoutes = (resources: CollectorResources): readonly Route[] => {
  const { pool, parts } = resources;
  return [
    postEvents(resources),
    getEvent(pool),
    healthRoute("/event-collector/health", "How the collector is", { parts, critical: ["postgres"] }),
  ];
};
