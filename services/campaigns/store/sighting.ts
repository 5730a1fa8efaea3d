import type { Queryable } from "../../../lib/postgres/pool.js";

export type Kind = "impression" | "click";

/** A click or an impression, by its partner's name for it. */
export interface Sighting {
  readonly source: string;
  readonly eventId: string;
  readonly campaignId: string;
}

/** Counts what is not known yet, of campaigns that are locked: however many there are of one, its row is changed once. */
export async function countSightings(
  tx: Queryable,
  kind: Kind,
  sightings: readonly Sighting[],
): Promise<void> {
  if (sightings.length === 0) {
    return;
  }
  await tx.query({
    name: `campaigns_count_${kind}s`,
    text: `
      WITH entered AS (
        INSERT INTO campaigns.sighting (source, event_id, kind, campaign_id)
        SELECT source, event_id, '${kind}', campaign_id
        FROM unnest($1::text[], $2::text[], $3::uuid[]) AS a (source, event_id, campaign_id)
        ORDER BY source, event_id
        ON CONFLICT DO NOTHING
        RETURNING campaign_id
      ), counted AS (
        SELECT campaign_id, count(*) AS more FROM entered GROUP BY campaign_id
      )
      UPDATE campaigns.campaign c
      SET ${kind}s = c.${kind}s + counted.more, unannounced_since = coalesce(c.unannounced_since, now())
      FROM counted
      WHERE c.campaign_id = counted.campaign_id`,
    values: [
      sightings.map(({ source }) => source),
      sightings.map(({ eventId }) => eventId),
      sightings.map(({ campaignId }) => campaignId),
    ],
  });
}

/** Those that were counted. */
export async function findSightings(
  db: Queryable,
  sightings: readonly Sighting[],
): Promise<readonly Omit<Sighting, "campaignId">[]> {
  const { rows } = await db.query<Omit<Sighting, "campaignId">>({
    name: "campaigns_find_sightings",
    text: `SELECT source, event_id AS "eventId" FROM campaigns.sighting
           JOIN unnest($1::text[], $2::text[]) AS a (source, event_id) USING (source, event_id)`,
    values: [sightings.map(({ source }) => source), sightings.map(({ eventId }) => eventId)],
  });
  return rows;
}
