import type { z } from "zod";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { collectorEvtClick } from "../../contracts/collector_evt.js";
import { countSightings, type Kind } from "../store/sighting.js";
import { unknownCampaign } from "./unknown.js";

type Seen = ReceivedEvent<z.output<typeof collectorEvtClick.schema>>;

/** Counts clicks or impressions, each once, whatever the state of their campaign: they happened. */
export const onSeen =
  (kind: Kind) =>
  async (db: Queryable, events: readonly Seen[]): Promise<EventOutcome[]> => {
    const sightings = events.map(({ body }) => ({
      source: body.source,
      eventId: body.event_id,
      campaignId: body.campaign_id,
    }));
    const known = await countSightings(db, kind, sightings);
    return sightings.map(({ campaignId }) =>
      known.has(campaignId) ? { kind: "done" } : unknownCampaign(campaignId),
    );
  };
