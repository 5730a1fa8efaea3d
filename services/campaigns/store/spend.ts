import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Outcome, SpendRequest } from "../domain/spend.js";

/** What was decided about a conversion. */
export interface RecordedSpend extends SpendRequest {
  readonly source: string;
  readonly eventId: string;
  readonly outcome: Outcome;
  /** Of the event that was decided. */
  readonly messageId: string;
}

/** A decision to be entered, and its campaign's currency. */
export type NewSpend = RecordedSpend & { readonly campaignCurrency: string };

export async function findSpends(
  db: Queryable,
  conversions: readonly Pick<RecordedSpend, "source" | "eventId">[],
): Promise<readonly RecordedSpend[]> {
  const { rows } = await db.query<RecordedSpend>({
    name: "campaigns_find_spends",
    text: `SELECT s.source, s.event_id AS "eventId", s.campaign_id AS "campaignId", s.outcome, s.amount, s.currency,
                  s.message_id AS "messageId"
           FROM unnest($1::text[], $2::text[]) AS a (source, event_id)
           JOIN campaigns.spend s ON s.source = a.source AND s.event_id = a.event_id`,
    values: [conversions.map(({ source }) => source), conversions.map(({ eventId }) => eventId)],
  });
  return rows;
}

/**
 * Enters decisions about campaigns that are locked, and takes what is spent out of their budgets: a row a conversion, an update a
 * campaign.
 *
 * @returns whether all of it was entered; else somebody decided one of them meanwhile, and the transaction must be undone
 */
export async function enterSpends(tx: Queryable, spends: readonly NewSpend[]): Promise<boolean> {
  if (spends.length === 0) {
    return true;
  }
  const { rows } = await tx.query<{ entered: number; spending: number; changed: number }>({
    name: "campaigns_enter_spends",
    text: ENTER,
    values: [
      spends.map(({ source }) => source),
      spends.map(({ eventId }) => eventId),
      spends.map(({ campaignId }) => campaignId),
      spends.map(({ outcome }) => outcome),
      spends.map(({ amount }) => amount),
      spends.map(({ currency }) => currency),
      spends.map(({ campaignCurrency }) => campaignCurrency),
      spends.map(({ messageId }) => messageId),
    ],
  });
  const { entered, spending, changed } = rows[0] as { entered: number; spending: number; changed: number };
  return entered === spends.length && spending === changed;
}

const ENTER = `
  WITH asked AS (
    SELECT *
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[])
      AS a (source, event_id, campaign_id, outcome, amount, currency, campaign_currency, message_id)
  ), entered AS (
    INSERT INTO campaigns.spend (source, event_id, campaign_id, outcome, amount, currency, campaign_currency, message_id)
    SELECT * FROM asked ORDER BY source, event_id
    ON CONFLICT DO NOTHING
    RETURNING campaign_id, outcome, amount
  ), spent AS MATERIALIZED (
    SELECT campaign_id, sum(amount)::bigint AS amount, count(*) AS conversions
    FROM entered WHERE outcome = 'spent' GROUP BY campaign_id
  ), changed AS (
    UPDATE campaigns.campaign c
    SET spend = c.spend + s.amount, conversions = c.conversions + s.conversions,
        unannounced_since = coalesce(c.unannounced_since, now())
    FROM spent s
    WHERE c.campaign_id = s.campaign_id AND c.state = 'ACTIVE' AND c.spend + s.amount <= c.budget
    RETURNING c.campaign_id
  )
  SELECT (SELECT count(*)::integer FROM entered) AS entered, (SELECT count(*)::integer FROM spent) AS spending,
         (SELECT count(*)::integer FROM changed) AS changed`;
