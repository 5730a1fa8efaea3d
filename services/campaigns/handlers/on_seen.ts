import type { z } from "zod";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { collectorEvtClick } from "../../contracts/collector_evt.js";
import { lockCampaigns } from "../store/lock.js";
import { countSightings, type Kind } from "../store/sighting.js";
import { withoutCampaign } from "./without_campaign.js";

type Seen = ReceivedEvent<z.output<typeof collectorEvtClick.schema>>;

/** Counts clicks or impressions, each once, whatever the state of their campaign: they happened. */
export const onSeen =
  (kind: Kind) =>
  async (tx: Queryable, events: readonly Seen[]): Promise<EventOutcome[]> => {
    const locked = await lockCampaigns(tx, [...new Set(events.map(({ body }) => body.campaign_id))]);
    const sightings = events.map(({ body }) => ({
      source: body.source,
      eventId: body.event_id,
      campaignId: body.campaign_id,
    }));
    await countSightings(
      tx,
      kind,
      sightings.filter(({ campaignId }) => locked.accounts.has(campaignId)),
    );
    return sightings.map(({ campaignId }) => withoutCampaign(campaignId, locked) ?? { kind: "done" });
  };
