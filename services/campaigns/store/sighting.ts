import type { Queryable } from "../../../lib/postgres/pool.js";

export type Kind = "impression" | "click";

/** A click or an impression, by its partner's name for it. */
export interface Sighting {
  readonly source: string;
  readonly eventId: string;
  readonly campaignId: string;
}

/**
 * Counts what is not known yet, in one statement: however many there are of a campaign, its row is changed once.
 *
 * @returns the campaigns that there are
 */
export async function countSightings(
  db: Queryable,
  kind: Kind,
  sightings: readonly Sighting[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ campaignId: string }>({
    name: `campaigns_count_${kind}s`,
    // Names are entered in their order and campaigns locked in theirs, so that two batches wait for each other one way only; names
    // first, since a busy campaign should be locked for the end of the statement alone.
    text: `
      WITH asked AS MATERIALIZED (
        SELECT a.source, a.event_id, c.campaign_id
        FROM unnest($1::text[], $2::text[], $3::uuid[]) AS a (source, event_id, campaign_id)
        JOIN campaigns.campaign c ON c.campaign_id = a.campaign_id
      ), entered AS (
        INSERT INTO campaigns.sighting (source, event_id, kind, campaign_id)
        SELECT source, event_id, '${kind}', campaign_id FROM asked ORDER BY source, event_id
        ON CONFLICT DO NOTHING
        RETURNING campaign_id
      ), counted AS MATERIALIZED (
        SELECT campaign_id, count(*) AS more FROM entered GROUP BY campaign_id
      ), locked AS MATERIALIZED (
        SELECT campaign_id FROM campaigns.campaign
        WHERE campaign_id IN (SELECT campaign_id FROM counted) ORDER BY campaign_id FOR NO KEY UPDATE
      ), changed AS (
        UPDATE campaigns.campaign c
        SET ${kind}s = c.${kind}s + counted.more, unannounced_since = coalesce(c.unannounced_since, now())
        FROM locked JOIN counted USING (campaign_id)
        WHERE c.campaign_id = locked.campaign_id
      )
      SELECT DISTINCT campaign_id AS "campaignId" FROM asked`,
    values: [
      sightings.map(({ source }) => source),
      sightings.map(({ eventId }) => eventId),
      sightings.map(({ campaignId }) => campaignId),
    ],
  });
  return new Set(rows.map(({ campaignId }) => campaignId));
}

/** Forgets names that are older than a repetition comes, a batch of them. @returns how many */
export async function purgeSightings(db: Queryable, batch: number): Promise<number> {
  const { rowCount } = await db.query({
    name: "campaigns_purge_sightings",
    text: `DELETE FROM campaigns.sighting WHERE (source, event_id) IN (
             SELECT source, event_id FROM campaigns.sighting
             WHERE seen_at < now() - campaigns.sighting_retention() ORDER BY seen_at LIMIT $1)`,
    values: [batch],
  });
  return rowCount ?? 0;
}
