import { LAST_ID } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Campaign } from "../contracts/campaigns.js";
import { type Walked, walk } from "./walk.js";

export interface CampaignRow {
  readonly id: string;
  readonly name: string;
  readonly state: Campaign["state"];
  readonly currency: string;
  readonly budget: bigint;
  readonly spend: bigint;
  readonly impressions: bigint;
  readonly clicks: bigint;
  readonly conversions: bigint;
  readonly startsAt: Date | null;
  readonly endsAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const COLUMNS = `campaign_id AS id, name, state, currency, budget, spend, impressions, clicks, conversions, starts_at AS "startsAt",
  ends_at AS "endsAt", created_at AS "createdAt", updated_at AS "updatedAt"`;

export interface CampaignFilter {
  readonly state?: Campaign["state"] | undefined;
  /** The id where the page before ended. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export const listCampaigns = (
  db: Queryable,
  { state, before = LAST_ID, limit }: CampaignFilter,
): Promise<Walked<CampaignRow>> =>
  walk<CampaignRow>(db, {
    ...{ view: "campaigns.console_campaign", columns: COLUMNS, id: "campaign_id", before, limit },
    led: [],
    filters: { state },
  });

export async function findCampaign(db: Queryable, id: string): Promise<CampaignRow | undefined> {
  const { rows } = await db.query<CampaignRow>({
    name: "console_campaign",
    text: `SELECT ${COLUMNS} FROM campaigns.console_campaign WHERE campaign_id = $1`,
    values: [id],
  });
  return rows[0];
}

export interface ChangeRow {
  readonly version: number;
  readonly state: Campaign["state"];
  readonly budget: bigint;
  /** With dashes. */
  readonly traceUuid: string | null;
  readonly changedAt: Date;
}

/** The newest hundred, newest first. */
export async function changesOf(db: Queryable, id: string): Promise<readonly ChangeRow[]> {
  const { rows } = await db.query<ChangeRow>({
    name: "console_changes",
    text: `SELECT version, state, budget, trace_id AS "traceUuid", changed_at AS "changedAt"
           FROM campaigns.console_change WHERE campaign_id = $1 ORDER BY version DESC LIMIT 100`,
    values: [id],
  });
  return rows;
}
