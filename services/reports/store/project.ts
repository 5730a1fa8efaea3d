import type { Queryable } from "../../../lib/postgres/pool.js";

/** A stretch of the archive, and the read models that it goes into. */
export interface Stretch {
  readonly generations: readonly number[];
  /** The first event is the one after this position. */
  readonly after: bigint;
  readonly upTo: bigint;
}

/**
 * Projects a stretch of the archive, as events come and when a read model is made again: one and the same. The greatest version of an
 * aggregate wins, so order and repetitions make no difference. The transaction holds the head's lock, or is alone with its generation.
 */
export async function project(tx: Queryable, { generations, after, upTo }: Stretch): Promise<void> {
  const values = [generations, after, upTo];
  await tx.query({ name: "reports_project_payouts", text: PAYOUTS, values });
  await tx.query({ name: "reports_project_campaigns", text: CAMPAIGNS, values });
}

/** What a stretch tells of a kind of aggregates, the newest of each. */
const newestOf = (kind: "payout" | "campaign", columns: string) => `
  SELECT DISTINCT ON (aggregate_id) aggregate_id AS ${kind}_id, version, ${columns}
  FROM reports.event
  WHERE position > $2 AND position <= $3 AND kind = '${kind}'
  ORDER BY aggregate_id, version DESC`;

/** An amount of the body, in minor units. */
const minor = (field: string) => `((body ->> '${field}')::numeric * 10::numeric ^ minor_digits)::bigint`;

/**
 * A payout counts from its first event on, whose day it is counted on. Sums change by what it was before and is after: rows that are
 * there are updated, others inserted, and not by ON CONFLICT, since a CHECK would see what is taken away as a row.
 */
const PAYOUTS = `
  WITH told AS (${newestOf(
    "payout",
    `body ->> 'id_afiliado' AS affiliate, body ->> 'moneda' AS currency, ${minor("monto")} AS amount,
     body ->> 'estado' AS state, event = 'payments.evt.returned' AS returned`,
  )}
  ), first AS (
    SELECT aggregate_id AS payout_id, ((body ->> 'occurred_at')::timestamptz AT TIME ZONE 'UTC')::date AS day
    FROM reports.event
    WHERE position > $2 AND position <= $3 AND kind = 'payout' AND version = 1
  ), before AS (
    SELECT generation, payout_id, version, affiliate, currency, amount, state, returned, day
    FROM reports.payout
    WHERE generation = ANY ($1::integer[]) AND payout_id IN (SELECT payout_id FROM told)
  ), met AS (
    SELECT generation, payout_id, version, affiliate, currency, amount, state, returned, day
    FROM told CROSS JOIN unnest($1::integer[]) AS into_ (generation) LEFT JOIN first USING (payout_id)
    UNION ALL
    SELECT * FROM before
  ), after AS (
    SELECT DISTINCT ON (generation, payout_id)
           generation, payout_id, version, affiliate, currency, amount, state, returned,
           max(day) OVER (PARTITION BY generation, payout_id) AS day
    FROM met
    ORDER BY generation, payout_id, version DESC
  ), written AS (
    INSERT INTO reports.payout (generation, payout_id, version, affiliate, currency, amount, state, returned, day)
    SELECT * FROM after
    ON CONFLICT (generation, payout_id) DO UPDATE
    SET (version, affiliate, currency, amount, state, returned, day)
      = (excluded.version, excluded.affiliate, excluded.currency, excluded.amount, excluded.state, excluded.returned, excluded.day)
  ), change AS (
    SELECT *, 1 AS sign FROM after WHERE day IS NOT NULL
    UNION ALL
    SELECT *, -1 FROM before WHERE day IS NOT NULL
  ), by_day AS (
    SELECT generation, day, currency, state, sum(sign) AS payouts, sum(sign * amount) AS amount,
           coalesce(sum(sign) FILTER (WHERE returned), 0) AS returned
    FROM change
    GROUP BY generation, day, currency, state
  ), by_affiliate AS (
    SELECT generation, affiliate, currency, sum(sign) AS payouts, sum(sign * amount) AS amount,
           coalesce(sum(sign) FILTER (WHERE state = 'EXITOSO'), 0) AS completed,
           coalesce(sum(sign) FILTER (WHERE state = 'FALLIDO'), 0) AS failed
    FROM change
    GROUP BY generation, affiliate, currency
  ), day_updated AS (
    UPDATE reports.payout_day d
    SET payouts = d.payouts + c.payouts, amount = d.amount + c.amount, returned = d.returned + c.returned
    FROM by_day c
    WHERE d.generation = c.generation AND d.day = c.day AND d.currency = c.currency AND d.state = c.state
    RETURNING d.generation, d.day, d.currency, d.state
  ), day_inserted AS (
    INSERT INTO reports.payout_day (generation, day, currency, state, payouts, amount, returned)
    SELECT generation, day, currency, state, payouts, amount, returned
    FROM by_day WHERE (generation, day, currency, state) NOT IN (SELECT generation, day, currency, state FROM day_updated)
  ), affiliate_updated AS (
    UPDATE reports.payout_affiliate a
    SET payouts = a.payouts + c.payouts, amount = a.amount + c.amount,
        completed = a.completed + c.completed, failed = a.failed + c.failed
    FROM by_affiliate c
    WHERE a.generation = c.generation AND a.affiliate = c.affiliate AND a.currency = c.currency
    RETURNING a.generation, a.affiliate, a.currency
  )
  INSERT INTO reports.payout_affiliate (generation, affiliate, currency, payouts, amount, completed, failed)
  SELECT generation, affiliate, currency, payouts, amount, completed, failed
  FROM by_affiliate
  WHERE (generation, affiliate, currency) NOT IN (SELECT generation, affiliate, currency FROM affiliate_updated)`;

const CAMPAIGNS = `
  INSERT INTO reports.campaign AS c
    (campaign_id, version, name, state, currency, budget, spend, impressions, clicks, conversions, generation)
  SELECT told.*, generation
  FROM (${newestOf(
    "campaign",
    `body ->> 'name' AS name, body ->> 'state' AS state, body ->> 'currency' AS currency,
     ${minor("budget")} AS budget, ${minor("spend")} AS spend, (body ->> 'impressions')::bigint AS impressions,
     (body ->> 'clicks')::bigint AS clicks, (body ->> 'conversions')::bigint AS conversions`,
  )}) told
  CROSS JOIN unnest($1::integer[]) AS into_ (generation)
  ON CONFLICT (generation, campaign_id) DO UPDATE
  SET (version, name, state, currency, budget, spend, impressions, clicks, conversions)
    = (excluded.version, excluded.name, excluded.state, excluded.currency, excluded.budget, excluded.spend,
       excluded.impressions, excluded.clicks, excluded.conversions)
  WHERE excluded.version > c.version`;
