import type { z } from "zod";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { Forecast } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { collectorEvtClick } from "../../contracts/collector_evt.js";
import { findCampaigns, lockCampaigns } from "../store/lock.js";
import { countSightings, findSightings, type Kind, type Sighting } from "../store/sighting.js";
import { forecastWithoutCampaign, withoutCampaign } from "./without_campaign.js";

type Seen = ReceivedEvent<z.output<typeof collectorEvtClick.schema>>;

/** Counts clicks or impressions, each once, whatever the state of their campaign: they happened. */
export const onSeen =
  (kind: Kind) =>
  async (tx: Queryable, events: readonly Seen[]): Promise<EventOutcome[]> => {
    const locked = await lockCampaigns(tx, campaignsOf(events));
    const sightings = events.map(sightingOf);
    await countSightings(
      tx,
      kind,
      sightings.filter(({ campaignId }) => locked.accounts.has(campaignId)),
    );
    return sightings.map(({ campaignId }) => withoutCampaign(campaignId, locked) ?? { kind: "done" });
  };

/** The same as things stand, with nothing counted. */
export async function forecastSeen(db: Queryable, events: readonly Seen[]): Promise<Forecast[]> {
  const found = await findCampaigns(db, campaignsOf(events));
  const sightings = events.map(sightingOf);
  const known = new Set((await findSightings(db, sightings)).map(nameOf));
  return sightings.map((sighting): Forecast => {
    const without = forecastWithoutCampaign(sighting.campaignId, found);
    if (without !== undefined) {
      return without;
    }
    const fresh = !known.has(nameOf(sighting));
    known.add(nameOf(sighting));
    return fresh ? { kind: "would apply", why: "counted" } : { kind: "already applied", why: "" };
  });
}

const campaignsOf = (events: readonly Seen[]) => [...new Set(events.map(({ body }) => body.campaign_id))];

const sightingOf = ({ body }: Seen): Sighting => ({
  source: body.source,
  eventId: body.event_id,
  campaignId: body.campaign_id,
});

const nameOf = ({ source, eventId }: Omit<Sighting, "campaignId">): string => `${source} ${eventId}`;
