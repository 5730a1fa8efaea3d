import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { AffiliateSum, CampaignRow, Cell, Model } from "../domain/report.js";
import type { Version } from "../domain/version.js";

/** Days that a report lists one by one; those before are one. */
const DAYS = 31;
/** Affiliates and campaigns that it lists. */
const LISTED = 100;

/** What a report is of, and its matter where that is new, from one statement. */
export interface Read {
  /** The one asked for, else the active one. */
  readonly version: Version;
  readonly epoch: number;
  readonly generation: number;
  readonly position: bigint;
  /** Payouts whose first event has not come. */
  readonly parked: number;
  /** undefined: what is known already. */
  readonly model: Model | undefined;
}

/** What decides a report's matter: nothing that it says changes without one of them. */
export interface Moment {
  readonly epoch: number;
  readonly position: bigint;
}

/**
 * Reads a report, in one statement: version, epoch, generation and all sums are of one moment. Always asks the primary.
 *
 * @param pinned the version wanted; null: the active one
 * @param known of which the matter need not be read again
 */
export async function readReport(
  db: Queryable,
  pinned: Version | null,
  known: Moment | undefined,
): Promise<Read> {
  const values = [pinned, known?.epoch ?? null, known?.position ?? null];
  const { rows } = await db.query<Row>({ name: "reports_read", text: READ, values });
  const { appliedAt, matter, ...read } = one(rows);
  return { ...read, model: matter === null ? undefined : modelOf(appliedAt, matter) };
}

/** JSON has amounts as text: they may be larger than a number of JavaScript can be. */
type Sent<Item> = { readonly [Key in keyof Item]: Item[Key] extends bigint ? string : Item[Key] };

interface Matter {
  readonly cells: readonly Sent<Cell>[];
  readonly affiliates: readonly Sent<AffiliateSum>[];
  readonly campaigns: readonly Sent<CampaignRow>[];
}

interface Row extends Omit<Read, "model"> {
  readonly appliedAt: Date;
  readonly matter: Matter | null;
}

const modelOf = (asOf: Date, { cells, affiliates, campaigns }: Matter): Model => ({
  asOf,
  cells: cells.map(({ amount, ...cell }) => ({ ...cell, amount: BigInt(amount) })),
  affiliates: affiliates.map(({ amount, ...sum }) => ({ ...sum, amount: BigInt(amount) })),
  campaigns: campaigns.map(({ budget, spend, ...campaign }) => ({
    ...campaign,
    budget: BigInt(budget),
    spend: BigInt(spend),
  })),
});

const CELLS = `
  SELECT CASE WHEN day > newest_day - ${DAYS} THEN day END AS day, currency, state,
         sum(payouts)::bigint AS payouts, sum(amount)::text AS amount, sum(returned)::bigint AS returned
  FROM reports.payout_day d
  CROSS JOIN (SELECT max(n.day) AS newest_day FROM reports.payout_day n
              WHERE n.generation = s.generation AND n.payouts > 0) newest
  WHERE d.generation = s.generation AND payouts > 0
  GROUP BY 1, 2, 3`;

const AFFILIATES = `
  SELECT affiliate, currency, payouts, amount::text AS amount, completed, failed
  FROM reports.payout_affiliate
  WHERE generation = s.generation AND payouts > 0
  ORDER BY generation, payouts DESC, affiliate, currency
  LIMIT ${LISTED}`;

const CAMPAIGNS = `
  SELECT campaign_id AS "campaignId", name, state, currency, budget::text AS budget, spend::text AS spend,
         impressions, clicks, conversions
  FROM reports.campaign
  WHERE generation = s.generation
  ORDER BY generation DESC, campaign_id DESC
  LIMIT ${LISTED}`;

const listOf = (rows: string) => `(SELECT coalesce(json_agg(r), '[]') FROM (${rows}) r)`;

const READ = `
  SELECT coalesce($1, s.version) AS version, s.epoch, s.generation, s.position, s.applied_at AS "appliedAt",
    (SELECT count(*)::integer FROM reports.payout p WHERE p.generation = s.generation AND p.day IS NULL) AS parked,
    CASE WHEN s.epoch = $2::integer AND s.position = $3::bigint THEN NULL
         ELSE json_build_object('cells', ${listOf(CELLS)}, 'affiliates', ${listOf(AFFILIATES)}, 'campaigns', ${listOf(CAMPAIGNS)})
    END AS matter
  FROM reports.served s`;
