import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Campaign } from "../domain/campaign.js";
import { COLUMNS } from "./campaign.js";

export async function anythingToAnnounce(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "campaigns_anything_to_announce",
    text: `SELECT FROM campaigns.campaign WHERE unannounced_since IS NOT NULL
           UNION ALL
           SELECT FROM campaigns.campaign WHERE state <> 'COMPLETED' AND ends_at <= now()
           LIMIT 1`,
  });
  return rowCount === 1;
}

/** Completes campaigns whose end is past, the oldest first. @returns as they are then; each has to be announced */
export async function completeDue(tx: Queryable, limit: number): Promise<readonly Campaign[]> {
  const { rows } = await tx.query<Campaign>({
    name: "campaigns_complete_due",
    text: `
      WITH due AS (
        SELECT campaign_id FROM campaigns.campaign
        WHERE state <> 'COMPLETED' AND ends_at <= now()
        ORDER BY ends_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
      ), changed AS (
        UPDATE campaigns.campaign c
        SET state = 'COMPLETED', version = version + 1, event_version = event_version + 1, unannounced_since = NULL,
            updated_at = now()
        FROM due WHERE c.campaign_id = due.campaign_id
        RETURNING c.*
      ), noted AS (
        INSERT INTO campaigns.change (campaign_id, version, state, budget)
        SELECT campaign_id, version, state, budget FROM changed
      )
      SELECT ${COLUMNS} FROM changed c`,
    values: [limit],
  });
  return rows;
}

/**
 * Campaigns whose counts or spend changed since they were last announced, the longest ago first. A busy one is nearly always in
 * somebody's hands, for some milliseconds: so it is waited for.
 *
 * @returns as they are; each has to be announced, under the version that it has now
 */
export async function takeUnannounced(tx: Queryable, limit: number): Promise<readonly Campaign[]> {
  const { rows } = await tx.query<Campaign>({
    name: "campaigns_take_unannounced",
    // Locked by id, as all do who lock several.
    text: `
      WITH oldest AS MATERIALIZED (
        SELECT campaign_id FROM campaigns.campaign
        WHERE unannounced_since IS NOT NULL ORDER BY unannounced_since LIMIT $1
      ), locked AS MATERIALIZED (
        SELECT campaign_id FROM campaigns.campaign
        WHERE campaign_id IN (SELECT campaign_id FROM oldest) AND unannounced_since IS NOT NULL
        ORDER BY campaign_id FOR NO KEY UPDATE
      ), taken AS (
        UPDATE campaigns.campaign c SET event_version = event_version + 1, unannounced_since = NULL
        FROM locked WHERE c.campaign_id = locked.campaign_id
        RETURNING c.*
      )
      SELECT ${COLUMNS} FROM taken c`,
    values: [limit],
  });
  return rows;
}
