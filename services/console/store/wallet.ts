import { LAST_ID } from "../../../lib/domain/ids.js";
import { instantOf } from "../../../lib/http/page.js";
import type { Queryable } from "../../../lib/postgres/pool.js";

export interface WalletRow {
  readonly id: string;
  readonly userId: string;
  readonly currency: string;
  readonly balance: bigint;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly closedAt: Date | null;
}

const COLUMNS = `wallet_id AS id, user_id AS "userId", currency, balance, created_at AS "createdAt", updated_at AS "updatedAt",
  closed_at AS "closedAt"`;

/** Greater than all that begins alike: no character sorts behind it. */
const BEHIND_ALL = "\u{10ffff}";

export interface WalletFilter {
  /** What the user's name begins with. */
  readonly q: string;
  /** Where the page before ended. */
  readonly after: { readonly user: string; readonly currency: string } | undefined;
  readonly limit: number;
}

/** Open ones by user and currency; the database compares texts byte by byte, so what begins alike stands together. */
export async function listWallets(
  db: Queryable,
  { q, after, limit }: WalletFilter,
): Promise<readonly WalletRow[]> {
  const { rows } = await db.query<WalletRow>({
    name: "console_wallets",
    text: `SELECT ${COLUMNS} FROM wallet.console_wallet
           WHERE closed_at IS NULL AND (user_id, currency) > ($1, $2) AND user_id < $3
           ORDER BY user_id, currency LIMIT $4`,
    values: [after?.user ?? q, after?.currency ?? "", q + BEHIND_ALL, limit],
  });
  return rows;
}

export async function findWallet(db: Queryable, id: string): Promise<WalletRow | undefined> {
  const { rows } = await db.query<WalletRow>({
    name: "console_wallet",
    text: `SELECT ${COLUMNS} FROM wallet.console_wallet WHERE wallet_id = $1`,
    values: [id],
  });
  return rows[0];
}

export interface MovementRow {
  readonly id: string;
  readonly kind: "debit" | "refund" | "credit" | "withdrawal" | "funding";
  readonly direction: "in" | "out";
  readonly amount: bigint;
  readonly currency: string;
  readonly paymentId: string | null;
  readonly reference: string | null;
  /** To the microsecond. */
  readonly movedAt: string;
}

export interface MovementPosition {
  readonly moved_at: string;
  readonly id: string;
}

/** A wallet's movements, newest first: of what came and of what went an index gives the newest. */
export async function movementsOf(
  db: Queryable,
  walletId: string,
  { before, limit }: { readonly before: MovementPosition | undefined; readonly limit: number },
): Promise<readonly MovementRow[]> {
  const half = (end: "from_id" | "to_id", direction: "in" | "out", kinds: string) => `
    (SELECT movement_id, kind, '${direction}' AS direction, amount, currency, cause_id, reference, moved_at
     FROM wallet.console_movement
     WHERE ${end} = $1 AND kind IN (${kinds}) AND (moved_at, movement_id) < ($2, $3)
     ORDER BY moved_at DESC, movement_id DESC LIMIT $4)`;
  const { rows } = await db.query<MovementRow>({
    name: "console_movements",
    text: `SELECT movement_id AS id, kind, direction, amount, currency, reference, ${instantOf("moved_at")} AS "movedAt",
                  CASE WHEN kind IN ('debit', 'refund') THEN cause_id END AS "paymentId"
           FROM (${half("from_id", "out", "'debit', 'withdrawal'")}
                 UNION ALL ${half("to_id", "in", "'refund', 'credit', 'funding'")}) m
           ORDER BY moved_at DESC, movement_id DESC LIMIT $4`,
    values: [walletId, before?.moved_at ?? "infinity", before?.id ?? LAST_ID, limit],
  });
  return rows;
}
