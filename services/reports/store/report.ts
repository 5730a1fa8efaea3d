import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Cell, Model, PayoutState } from "../domain/report.js";
import type { Version } from "../domain/version.js";

/** Days that a report lists one by one; those before are one. */
const DAYS = 31;
/** Affiliates and campaigns that it lists. */
const LISTED = 100;

/** A report's matter and what it is of, from one statement. */
export interface Read {
  /** The one asked for, else the active one. */
  readonly version: Version;
  readonly epoch: number;
  readonly generation: number;
  readonly position: bigint;
  /** Payouts whose first event has not come. */
  readonly parked: number;
  readonly model: Model;
}

/**
 * Reads a report, in one statement: version, epoch, generation and all sums are of one moment. Always asks the primary.
 *
 * @param pinned the version wanted; null: the active one
 */
export async function readReport(db: Queryable, pinned: Version | null): Promise<Read> {
  const { rows } = await db.query<Row>({ name: "reports_read", text: READ, values: [pinned] });
  const { appliedAt, cells, affiliates, campaigns, ...read } = one(rows);
  const model = {
    asOf: appliedAt,
    cells: cells.map(({ amount, ...cell }) => ({ ...cell, amount: BigInt(amount) })),
    affiliates: affiliates.map(({ amount, ...sum }) => ({ ...sum, amount: BigInt(amount) })),
    campaigns: campaigns.map(({ budget, spend, ...campaign }) => ({
      ...campaign,
      budget: BigInt(budget),
      spend: BigInt(spend),
    })),
  };
  return { ...read, model };
}

/** JSON has amounts as text: they may be larger than a number of JavaScript can be. */
type Sent<Item> = { readonly [Key in keyof Item]: Item[Key] extends bigint ? string : Item[Key] };

interface Row extends Omit<Read, "model"> {
  readonly appliedAt: Date;
  readonly cells: readonly Sent<Cell & { readonly state: PayoutState }>[];
  readonly affiliates: readonly Sent<Model["affiliates"][number]>[];
  readonly campaigns: readonly Sent<Model["campaigns"][number]>[];
}

const READ = `
  SELECT coalesce($1, s.version) AS version, s.epoch, s.generation, s.position, s.applied_at AS "appliedAt",
    (SELECT count(*)::integer FROM reports.payout p WHERE p.generation = s.generation AND p.day IS NULL) AS parked,
    (SELECT coalesce(json_agg(c), '[]')
     FROM (SELECT CASE WHEN day > newest_day - ${DAYS} THEN day END AS day, currency, state,
                  sum(payouts)::bigint AS payouts, sum(amount)::text AS amount, sum(returned)::bigint AS returned
           FROM reports.payout_day d
           CROSS JOIN (SELECT max(n.day) AS newest_day FROM reports.payout_day n WHERE n.generation = s.generation AND n.payouts > 0) newest
           WHERE d.generation = s.generation AND payouts > 0
           GROUP BY 1, 2, 3) c) AS cells,
    CASE WHEN coalesce($1, s.version) = 'v1' THEN '[]' ELSE
      (SELECT coalesce(json_agg(a), '[]')
       FROM (SELECT affiliate, currency, payouts, amount::text AS amount, completed, failed
             FROM reports.payout_affiliate
             WHERE generation = s.generation AND payouts > 0
             ORDER BY generation, payouts DESC, affiliate, currency
             LIMIT ${LISTED}) a) END AS affiliates,
    CASE WHEN coalesce($1, s.version) = 'v1' THEN '[]' ELSE
      (SELECT coalesce(json_agg(c), '[]')
       FROM (SELECT campaign_id AS "campaignId", name, state, currency, budget::text AS budget, spend::text AS spend,
                    impressions, clicks, conversions
             FROM reports.campaign
             WHERE generation = s.generation
             ORDER BY generation DESC, campaign_id DESC
             LIMIT ${LISTED}) c) END AS campaigns
  FROM reports.served s`;
