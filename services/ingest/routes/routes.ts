import type { Route } from "../../../lib/http/route.js";
import type { Pool, Queryable } from "../../../lib/postgres/pool.js";
import type { Intake } from "../intake.js";
import type { Learning } from "../learning/learning.js";
import { acceptMapping, rejectMapping } from "./decide_mapping.js";
import { getEvent } from "./get_event.js";
import { getHealth, type HealthOptions } from "./get_health.js";
import { getMapping } from "./get_mapping.js";
import { getProvider } from "./get_provider.js";
import { getSummary } from "./get_summary.js";
import type { Limits } from "./limits.js";
import { getEvents } from "./list_events.js";
import { listMappings } from "./list_mappings.js";
import { postBatch } from "./post_batch.js";
import { postEvent } from "./post_event.js";
import { tryRules } from "./try_rules.js";

export interface IngestResources extends HealthOptions {
  readonly learning: Learning;
  readonly pool: Pool;
  readonly reads: Queryable;
  readonly intake: Intake;
  readonly limits: Limits;
}

export const ingestRoutes = (resources: IngestResources): readonly Route[] => [
  postEvent(resources),
  postBatch(resources),
  getEvents(resources.reads),
  getEvent(resources.pool),
  getSummary(resources.reads),
  getProvider(resources.pool),
  getHealth(resources),
  listMappings(resources),
  getMapping(resources),
  acceptMapping(resources),
  rejectMapping(resources),
  tryRules(resources),
];
