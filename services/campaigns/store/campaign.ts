import { LAST_ID } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Campaign, Standing, State } from "../domain/campaign.js";

/** As `Campaign` names them. What is over by the database's clock is COMPLETED, also before somebody has written that. */
export const COLUMNS = `c.campaign_id AS "campaignId", c.name, c.currency, c.starts_at AS "startsAt", c.ends_at AS "endsAt",
  CASE WHEN c.ends_at <= now() THEN 'COMPLETED' ELSE c.state END AS state, c.budget, c.spend, c.impressions::float8, c.clicks::float8,
  c.conversions::float8, c.version, c.event_version AS "eventVersion", c.created_at AS "createdAt", c.updated_at AS "updatedAt"`;

export type NewCampaign = Pick<
  Campaign,
  "campaignId" | "name" | "currency" | "startsAt" | "endsAt" | "budget"
> & { readonly traceId: string };

/** @returns undefined where its end is past already. */
export async function insertCampaign(db: Queryable, campaign: NewCampaign): Promise<Campaign | undefined> {
  const { campaignId, name, currency, startsAt, endsAt, budget, traceId } = campaign;
  const { rows } = await db.query<Campaign>({
    name: "campaigns_insert",
    text: `
      WITH entered AS (
        INSERT INTO campaigns.campaign (campaign_id, name, currency, starts_at, ends_at, budget)
        SELECT $1, $2, $3, $4, $5::timestamptz, $6::bigint
        WHERE $5 IS NULL OR $5 > now()
        RETURNING *
      ), noted AS (
        INSERT INTO campaigns.change (campaign_id, version, state, budget, trace_id)
        SELECT campaign_id, version, state, budget, $7::uuid FROM entered
      )
      SELECT ${COLUMNS} FROM entered c`,
    values: [campaignId, name, currency, startsAt, endsAt, budget, traceId],
  });
  return rows[0];
}

export async function findCampaign(db: Queryable, campaignId: string): Promise<Campaign | undefined> {
  const { rows } = await db.query<Campaign>({
    name: "campaigns_find",
    text: `SELECT ${COLUMNS} FROM campaigns.campaign c WHERE campaign_id = $1`,
    values: [campaignId],
  });
  return rows[0];
}

/** A campaign, and when it was so. */
export async function findCampaignNow(
  db: Queryable,
  campaignId: string,
): Promise<(Campaign & { readonly asOf: Date }) | undefined> {
  const { rows } = await db.query<Campaign & { asOf: Date }>({
    name: "campaigns_find_now",
    text: `SELECT ${COLUMNS}, now() AS "asOf" FROM campaigns.campaign c WHERE campaign_id = $1`,
    values: [campaignId],
  });
  return rows[0];
}

/** Newest first. @param before the id where the page before ended */
export async function listCampaigns(
  db: Queryable,
  {
    limit,
    before,
    state,
  }: { readonly limit: number; readonly before?: string | undefined; readonly state?: State | undefined },
): Promise<readonly Campaign[]> {
  const { rows } = await db.query<Campaign>({
    name: "campaigns_list",
    text: `SELECT ${COLUMNS} FROM campaigns.campaign c
           WHERE campaign_id < $1 AND ($2::text IS NULL OR CASE WHEN ends_at <= now() THEN 'COMPLETED' ELSE state END = $2)
           ORDER BY campaign_id DESC LIMIT $3`,
    values: [before ?? LAST_ID, state ?? null, limit],
  });
  return rows;
}

/** Changes state and budget of a campaign that is still as it was seen. @returns undefined where it is not. */
export async function changeCampaign(
  db: Queryable,
  { campaignId, version }: Pick<Campaign, "campaignId" | "version">,
  { to, traceId }: { readonly to: Standing; readonly traceId: string },
): Promise<Campaign | undefined> {
  const { rows } = await db.query<Campaign>({
    name: "campaigns_change",
    text: `
      WITH changed AS (
        UPDATE campaigns.campaign
        SET state = $3, budget = $4, version = version + 1, event_version = event_version + 1, unannounced_since = NULL,
            updated_at = now()
        WHERE campaign_id = $1 AND version = $2 AND spend <= $4 AND (ends_at IS NULL OR ends_at > now())
        RETURNING *
      ), noted AS (
        INSERT INTO campaigns.change (campaign_id, version, state, budget, trace_id)
        SELECT campaign_id, version, state, budget, $5::uuid FROM changed
      )
      SELECT ${COLUMNS} FROM changed c`,
    values: [campaignId, version, to.state, to.budget, traceId],
  });
  return rows[0];
}
