import { CURRENCY_CODES, minorDigitsOf } from "../../../lib/domain/money.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { clearingId, fundingId } from "../domain/debit.js";

export interface Seeded {
  readonly currency: string;
  readonly wallets: number;
}

/**
 * Gives each account of the pipeline that has none a wallet: wallet n belongs to customer-n, in the account's currency, with 100 to
 * 10,000 major units that follow from n. The first 1,000 hold 1,000,000.00 USD instead, for tries by hand; the next 100 nothing.
 * In one statement, because the accounts are in this database: 100,000 wallets take some seconds.
 */
export async function seedWallets(tx: Queryable): Promise<readonly Seeded[]> {
  await tx.query("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0");
  // Before the rows: those that went into DEFAULT stay there.
  await tx.query("SELECT ops.add_months('wallet.movement', 3), ops.add_months('wallet.decision', 3)");
  await tx.query("LOCK TABLE wallet.seeding IN EXCLUSIVE MODE"); // two seedings would both find the same accounts without a wallet
  const { rows } = await tx.query<{ currency: string; wallets: bigint }>(SEED, [
    CURRENCY_CODES,
    CURRENCY_CODES.map(minorDigitsOf),
    CURRENCY_CODES.map(clearingId),
    CURRENCY_CODES.map(fundingId),
  ]);
  return rows.map(({ currency, wallets }) => ({ currency, wallets: Number(wallets) }));
}

const SEED = `
  WITH money AS (
    SELECT * FROM unnest($1::text[], $2::integer[], $3::uuid[], $4::uuid[]) AS m (currency, digits, clearing_id, funding_id)
  ), customer AS (
    SELECT account_id, 'customer-' || account_id AS user_id,
           CASE WHEN account_id <= 1000 THEN 'USD' ELSE currency END AS currency
    FROM wallet.account
  ), missing AS (
    SELECT ops.uuid_v7() AS wallet_id, ops.uuid_v7() AS movement_id, c.user_id, c.currency, m.clearing_id, m.funding_id,
           CASE WHEN account_id <= 1000 THEN 100000000
                WHEN account_id <= 1100 THEN 0
                -- Knuth's multiplier spreads neighbours; 2^32 keeps it within a bigint.
                ELSE (100 + account_id::bigint * 2654435761 % 4294967296 % 9901) * (10 ^ m.digits)::bigint
           END AS amount
    FROM customer c JOIN money m USING (currency)
    WHERE NOT EXISTS (SELECT FROM wallet.wallet w WHERE w.user_id = c.user_id AND w.kind = 'customer')
      AND NOT EXISTS (SELECT FROM ops.erasure e WHERE e.name_digest = ops.name_digest(c.user_id))
  ), counterparts AS (
    INSERT INTO wallet.wallet (wallet_id, kind, user_id, currency, balance)
    SELECT DISTINCT clearing_id, 'clearing', 'clearing', currency, NULL::bigint FROM missing
    UNION ALL
    SELECT DISTINCT funding_id, 'funding', 'funding', currency, NULL::bigint FROM missing
    ON CONFLICT DO NOTHING
  ), opened AS (
    INSERT INTO wallet.wallet (wallet_id, user_id, currency, balance)
    SELECT wallet_id, user_id, currency, amount FROM missing
  ), funded AS (
    INSERT INTO wallet.movement (movement_id, cause_id, kind, from_id, to_id, amount, currency)
    SELECT movement_id, movement_id, 'funding', funding_id, wallet_id, amount, currency FROM missing WHERE amount > 0
  ), noted AS (
    INSERT INTO wallet.seeding AS s (currency, wallets, amount)
    SELECT currency, count(*), sum(amount) FROM missing GROUP BY currency
    ON CONFLICT (currency) DO UPDATE SET wallets = s.wallets + excluded.wallets, amount = s.amount + excluded.amount
  )
  SELECT currency, count(*) AS wallets FROM missing GROUP BY currency ORDER BY currency`;
