import type { Queryable } from "../../../lib/postgres/pool.js";
import { clearingId, fundingId, type Wallet } from "../domain/debit.js";

export interface WalletRow extends Wallet {
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly closedAt: Date | null;
}

const COLUMNS = `wallet_id AS "walletId", user_id AS "userId", currency, balance, created_at AS "createdAt",
  updated_at AS "updatedAt", closed_at AS "closedAt"`;

/** Open wallets of the users as they stand, for whoever changes none. */
export async function findOpenWalletsOf(
  db: Queryable,
  userIds: readonly string[],
): Promise<readonly Wallet[]> {
  const { rows } = await db.query<Wallet>({
    name: "wallet_find_open",
    text: `SELECT wallet_id AS "walletId", user_id AS "userId", currency, balance FROM wallet.wallet
           WHERE user_id = ANY ($1::text[]) AND closed_at IS NULL AND kind = 'customer'`,
    values: [userIds],
  });
  return rows;
}

/** The same, locked in the order that all follow. */
export async function lockWalletsOf(tx: Queryable, userIds: readonly string[]): Promise<readonly Wallet[]> {
  const { rows } = await tx.query<Wallet>({
    name: "wallet_lock_wallets",
    text: `SELECT wallet_id AS "walletId", user_id AS "userId", currency, balance FROM wallet.wallet
           WHERE user_id = ANY ($1::text[]) AND closed_at IS NULL AND kind = 'customer'
           ORDER BY wallet_id FOR NO KEY UPDATE`,
    values: [userIds],
  });
  return rows;
}

/** The same of those wallets that nobody else holds, without waiting; and whose wallets somebody does. */
export async function lockFreeWalletsOf(
  tx: Queryable,
  userIds: readonly string[],
): Promise<{ readonly wallets: readonly Wallet[]; readonly held: ReadonlySet<string> }> {
  const { rows } = await tx.query<Wallet & { readonly balance: bigint | null }>({
    name: "wallet_lock_free",
    // Who waits for nobody needs no order. What is held, or was closed meanwhile, comes without a balance.
    text: `WITH free AS (
             SELECT wallet_id, balance FROM wallet.wallet
             WHERE user_id = ANY ($1::text[]) AND closed_at IS NULL AND kind = 'customer'
             FOR NO KEY UPDATE SKIP LOCKED
           )
           SELECT wallet_id AS "walletId", user_id AS "userId", currency, free.balance
           FROM wallet.wallet LEFT JOIN free USING (wallet_id)
           WHERE user_id = ANY ($1::text[]) AND closed_at IS NULL AND kind = 'customer'`,
    values: [userIds],
  });
  const held = new Set(rows.filter(({ balance }) => balance === null).map(({ userId }) => userId));
  return { wallets: held.size === 0 ? rows : rows.filter(({ userId }) => !held.has(userId)), held };
}

/** Keeps others from opening a wallet of these users and currencies until the transaction ends. */
export async function lockOpening(
  tx: Queryable,
  owners: readonly Pick<Wallet, "userId" | "currency">[],
): Promise<void> {
  await tx.query({
    name: "wallet_lock_opening",
    text: `SELECT pg_advisory_xact_lock(hashtextextended('wallet.opening ' || owner, 0))
           FROM (SELECT DISTINCT unnest($1::text[]) AS owner ORDER BY 1) owners`,
    values: [owners.map(({ userId, currency }) => `${currency} ${userId}`)],
  });
}

/** To be called under `lockOpening`. @returns the wallet, or undefined when the user has an open one of that currency. */
export async function insertWallet(
  tx: Queryable,
  { walletId, userId, currency }: Pick<Wallet, "walletId" | "userId" | "currency">,
): Promise<WalletRow | undefined> {
  const { rows } = await tx.query<WalletRow>({
    name: "wallet_insert",
    // Its currency's clearing and funding wallets are there before anything moves.
    text: `WITH counterparts AS (
             INSERT INTO wallet.wallet (wallet_id, kind, user_id, currency, balance)
             VALUES ($4, 'clearing', 'clearing', $3, NULL), ($5, 'funding', 'funding', $3, NULL)
             ON CONFLICT DO NOTHING
           )
           INSERT INTO wallet.wallet (wallet_id, user_id, currency, balance) VALUES ($1, $2, $3, 0)
           ON CONFLICT (user_id, currency) WHERE closed_at IS NULL AND kind = 'customer' DO NOTHING
           RETURNING ${COLUMNS}`,
    values: [walletId, userId, currency, clearingId(currency), fundingId(currency)],
  });
  return rows[0];
}

/** A customer's wallet, open or closed. */
export async function findWallet(db: Queryable, walletId: string): Promise<WalletRow | undefined> {
  const { rows } = await db.query<WalletRow>({
    name: "wallet_find",
    text: `SELECT ${COLUMNS} FROM wallet.wallet WHERE wallet_id = $1 AND kind = 'customer'`,
    values: [walletId],
  });
  return rows[0];
}

/** The same, locked. */
export async function lockWallet(tx: Queryable, walletId: string): Promise<WalletRow | undefined> {
  const { rows } = await tx.query<WalletRow>({
    name: "wallet_lock",
    text: `SELECT ${COLUMNS} FROM wallet.wallet WHERE wallet_id = $1 AND kind = 'customer' FOR NO KEY UPDATE`,
    values: [walletId],
  });
  return rows[0];
}

/** Of a user, oldest first; there is one a currency, so 200 are all. */
export async function walletsOf(db: Queryable, userId: string): Promise<readonly WalletRow[]> {
  const { rows } = await db.query<WalletRow>({
    name: "wallet_of_user",
    text: `SELECT ${COLUMNS} FROM wallet.wallet WHERE user_id = $1 AND kind = 'customer' AND closed_at IS NULL
           ORDER BY wallet_id LIMIT 200`,
    values: [userId],
  });
  return rows;
}

/** Closes an open, empty wallet. @returns whether it did. */
export async function closeWallet(db: Queryable, walletId: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "wallet_close",
    text: `UPDATE wallet.wallet SET closed_at = now(), updated_at = now()
           WHERE wallet_id = $1 AND closed_at IS NULL AND balance = 0 AND kind = 'customer'`,
    values: [walletId],
  });
  return rowCount === 1;
}
