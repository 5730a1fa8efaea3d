import { LAST_ID } from "../../../lib/domain/ids.js";
import { instantOf } from "../../../lib/http/page.js";
import type { Queryable } from "../../../lib/postgres/pool.js";

export type MovementKind = "debit" | "refund" | "credit" | "withdrawal" | "funding";

/** Money that came into a wallet or left it, as its owner sees it; minor units. */
export interface MovementRow {
  readonly movementId: string;
  readonly kind: MovementKind;
  readonly direction: "in" | "out";
  readonly amount: bigint;
  readonly currency: string;
  readonly paymentId: string | null;
  readonly reference: string | null;
  /** With microseconds, as text: what a page's cursor needs. */
  readonly movedAt: string;
}

export interface NewRefund {
  readonly movementId: string;
  readonly paymentId: string;
  readonly refundId: string;
  readonly clearingId: string;
  readonly walletId: string;
  readonly amount: bigint;
  readonly currency: string;
  /** Of the event that asked for it; null: a request over HTTP did. */
  readonly messageId: string | null;
}

/** A refund that was made. */
export type MadeRefund = Pick<NewRefund, "amount" | "messageId">;

/** Enters refunds of payments and wallets that are locked: what went back, each decision's sum of it, each balance. */
export async function enterRefunds(tx: Queryable, refunds: readonly NewRefund[]): Promise<void> {
  if (refunds.length === 0) {
    return;
  }
  await tx.query({
    name: "wallet_enter_refunds",
    text: `
      WITH asked AS (
        SELECT *
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[], $7::text[], $8::text[])
          AS a (movement_id, payment_id, refund_id, clearing_id, wallet_id, amount, currency, message_id)
      ), moved AS (
        INSERT INTO wallet.movement (movement_id, cause_id, kind, from_id, to_id, amount, currency, reference, message_id)
        SELECT movement_id, payment_id, 'refund', clearing_id, wallet_id, amount, currency, refund_id, message_id FROM asked
      ), counted AS (
        UPDATE wallet.decision d
        SET refunded = d.refunded + s.amount
        FROM (SELECT payment_id, sum(amount)::bigint AS amount FROM asked GROUP BY payment_id) s
        WHERE d.payment_id = s.payment_id
      )
      -- A closed wallet that gets money back is open again.
      UPDATE wallet.wallet w
      SET balance = w.balance + s.amount, updated_at = now(), closed_at = NULL
      FROM (SELECT wallet_id, sum(amount)::bigint AS amount FROM asked GROUP BY wallet_id) s
      WHERE w.wallet_id = s.wallet_id`,
    values: [
      refunds.map(({ movementId }) => movementId),
      refunds.map(({ paymentId }) => paymentId),
      refunds.map(({ refundId }) => refundId),
      refunds.map(({ clearingId }) => clearingId),
      refunds.map(({ walletId }) => walletId),
      refunds.map(({ amount }) => amount),
      refunds.map(({ currency }) => currency),
      refunds.map(({ messageId }) => messageId),
    ],
  });
}

/** Refunds that were made, by movement. */
export async function findRefunds(
  db: Queryable,
  refunds: readonly { readonly paymentId: string; readonly movementId: string }[],
): Promise<ReadonlyMap<string, MadeRefund>> {
  const { rows } = await db.query<MadeRefund & { movementId: string }>({
    name: "wallet_find_refunds",
    text: `SELECT movement_id AS "movementId", amount, message_id AS "messageId" FROM wallet.movement
           WHERE (cause_id, movement_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))`,
    values: [refunds.map(({ paymentId }) => paymentId), refunds.map(({ movementId }) => movementId)],
  });
  return new Map(rows.map((refund) => [refund.movementId, refund]));
}

/** The newest refund of a payment. */
export type LastRefund = Pick<NewRefund, "refundId" | "amount" | "messageId">;

/** By payment; without those of which nothing went back. */
export async function findLastRefunds(
  db: Queryable,
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, LastRefund>> {
  const { rows } = await db.query<LastRefund & { paymentId: string }>({
    name: "wallet_find_last_refunds",
    text: `SELECT DISTINCT ON (cause_id) cause_id AS "paymentId", reference AS "refundId", amount, message_id AS "messageId"
           FROM wallet.movement WHERE cause_id = ANY ($1::uuid[]) AND kind = 'refund'
           ORDER BY cause_id, moved_at DESC, movement_id DESC`,
    values: [paymentIds],
  });
  return new Map(rows.map((refund) => [refund.paymentId, refund]));
}

export interface Transfer {
  readonly movementId: string;
  readonly kind: "credit" | "withdrawal";
  readonly walletId: string;
  readonly fundingId: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly reference: string;
}

/** Moves money between a locked wallet and its currency's funding wallet. @returns the new balance. */
export async function enterTransfer(tx: Queryable, transfer: Transfer): Promise<bigint> {
  const { movementId, kind, walletId, fundingId, amount, currency, reference } = transfer;
  const [from, to] = kind === "credit" ? [fundingId, walletId] : [walletId, fundingId];
  const { rows } = await tx.query<{ balance: bigint }>({
    name: "wallet_enter_transfer",
    text: `
      WITH moved AS (
        INSERT INTO wallet.movement (movement_id, cause_id, kind, from_id, to_id, amount, currency, reference)
        VALUES ($1, $1, $2, $3, $4, $5, $6, $7)
      ), balanced AS (
        UPDATE wallet.wallet
        SET balance = balance + CASE $2 WHEN 'credit' THEN $5::bigint ELSE -$5::bigint END, updated_at = now()
        WHERE wallet_id = $8
        RETURNING balance
      ), noted AS (
        INSERT INTO wallet.reference (wallet_id, kind, reference, movement_id, amount, balance, seal)
        SELECT $8, $2, $7, $1, $5, balance, wallet.seal($8::text, $2, $7, $5::text, balance::text) FROM balanced
      )
      SELECT balance FROM balanced`,
    values: [movementId, kind, from, to, amount, currency, reference, walletId],
  });
  return (rows[0] as { balance: bigint }).balance;
}

/** A transfer under a reference that has been used, and the balance that it left. */
export interface UsedReference {
  readonly movementId: string;
  readonly amount: bigint;
  readonly balance: bigint;
}

export async function findReference(
  db: Queryable,
  { walletId, kind, reference }: Pick<Transfer, "walletId" | "kind" | "reference">,
): Promise<UsedReference | undefined> {
  const { rows } = await db.query<UsedReference>({
    name: "wallet_find_reference",
    text: `SELECT movement_id AS "movementId", amount, balance FROM wallet.reference
           WHERE wallet_id = $1 AND kind = $2 AND reference = $3`,
    values: [walletId, kind, reference],
  });
  return rows[0];
}

/** Where a page ends: movements after it are older. */
export interface MovementPosition {
  readonly movedAt: string;
  readonly movementId: string;
}

/** A wallet's movements, newest first. */
export async function movementsOf(
  db: Queryable,
  walletId: string,
  { limit, before }: { readonly limit: number; readonly before?: MovementPosition | undefined },
): Promise<readonly MovementRow[]> {
  // Each half has an index that gives its newest; a position that is not given is after all of them.
  const half = (end: "from_id" | "to_id", direction: string, kinds: string) => `
    (SELECT movement_id, kind, '${direction}' AS direction, amount, currency,
            CASE WHEN kind IN ('debit', 'refund') THEN cause_id END AS payment_id, reference, moved_at
     FROM wallet.movement
     WHERE ${end} = $1 AND kind IN (${kinds}) AND (moved_at, movement_id) < ($2, $3)
     ORDER BY moved_at DESC, movement_id DESC LIMIT $4)`;
  const { rows } = await db.query<MovementRow>({
    name: "wallet_movements",
    text: `
      SELECT movement_id AS "movementId", kind, direction, amount, currency, payment_id AS "paymentId", reference,
             ${instantOf("moved_at")} AS "movedAt"
      FROM (${half("from_id", "out", "'debit', 'withdrawal'")}
            UNION ALL ${half("to_id", "in", "'refund', 'credit', 'funding'")}) m
      ORDER BY moved_at DESC, movement_id DESC LIMIT $4`,
    values: [walletId, before?.movedAt ?? "infinity", before?.movementId ?? LAST_ID, limit],
  });
  return rows;
}
