import { z } from "zod";
import type { EventContract } from "../../lib/messaging/event.js";
import { traceId } from "./fields.js";

const schema = z.object({ event_id: z.uuid().toLowerCase(), trace_id: traceId.optional() });

/** ingest → ingest: an event that nobody understood so far is tried a last time. It is a dead letter when that fails. */
export const ingestRetryRequested: EventContract<z.output<typeof schema>> = {
  name: "ingest.retry.requested",
  version: 1,
  schema,
  key: ({ event_id }) => event_id,
};
