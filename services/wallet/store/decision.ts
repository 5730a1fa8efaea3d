import type { Queryable } from "../../../lib/postgres/pool.js";
import { clearingId, type Decision } from "../domain/debit.js";

/** A decision as it stands. */
export interface RecordedDecision extends Decision {
  /** In minor units. */
  readonly refunded: bigint;
  /** Of the request that was decided. */
  readonly messageId: string;
}

/** A decision to be entered, and the request that asked for it. */
export type NewDecision = Decision & { readonly messageId: string };

const COLUMNS = `payment_id AS "paymentId", outcome, reason, user_id AS "userId", wallet_id AS "walletId", amount, currency,
  refunded, message_id AS "messageId"`;

/** A join leads each id to its month. `= ANY` asks every month for all: of twelve, 5,400 pages for 200 ids in place of 600. */
const ASKED = "unnest($1::uuid[]) AS asked (payment_id) JOIN wallet.decision d USING (payment_id)";

export async function findDecisions(
  db: Queryable,
  paymentIds: readonly string[],
): Promise<readonly RecordedDecision[]> {
  const { rows } = await db.query<RecordedDecision>({
    name: "wallet_find_decisions",
    text: `SELECT ${COLUMNS} FROM ${ASKED}`,
    values: [paymentIds],
  });
  return rows;
}

/** Locked until the end of the transaction, so that their refunds are counted one after the other. */
export async function lockDecisions(
  tx: Queryable,
  paymentIds: readonly string[],
): Promise<readonly RecordedDecision[]> {
  const { rows } = await tx.query<RecordedDecision>({
    name: "wallet_lock_decisions",
    text: `SELECT ${COLUMNS} FROM ${ASKED} ORDER BY payment_id FOR NO KEY UPDATE OF d`,
    values: [paymentIds],
  });
  return rows;
}

/**
 * Enters decisions, the debits of the approved ones and what is left in their wallets, which must be locked. A payment that
 * was decided meanwhile is left as it is.
 *
 * @returns how many were entered.
 */
export async function enterDecisions(tx: Queryable, decisions: readonly NewDecision[]): Promise<number> {
  if (decisions.length === 0) {
    return 0;
  }
  // By id, so that two batches with the same payments do not wait for each other.
  const sorted = decisions.toSorted((a, b) => (a.paymentId < b.paymentId ? -1 : 1));
  const { rows } = await tx.query<{ entered: number }>({
    name: "wallet_enter_decisions",
    text: ENTER,
    values: [
      sorted.map(({ paymentId }) => paymentId),
      sorted.map(({ outcome }) => outcome),
      sorted.map(({ reason }) => reason),
      sorted.map(({ userId }) => userId),
      sorted.map(({ walletId }) => walletId),
      sorted.map(({ amount }) => amount),
      sorted.map(({ currency }) => currency),
      sorted.map(({ messageId }) => messageId),
      sorted.map(({ currency }) => (currency === null ? null : clearingId(currency))),
    ],
  });
  return (rows[0] as { entered: number }).entered;
}

const ENTER = `
  WITH asked AS (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::text[], $8::text[], $9::uuid[])
      AS a (payment_id, outcome, reason, user_id, wallet_id, amount, currency, message_id, clearing_id)
  ), entered AS (
    INSERT INTO wallet.decision (payment_id, outcome, reason, user_id, wallet_id, amount, currency, message_id, seal)
    SELECT payment_id, outcome, reason, user_id, wallet_id, amount, currency, message_id,
           CASE WHEN outcome <> 'approved' THEN
             wallet.seal(payment_id::text, outcome, reason, user_id, wallet_id::text, amount::text, currency)
           END
    FROM asked
    ON CONFLICT (payment_id) DO NOTHING
    RETURNING payment_id
  ), approved AS (
    SELECT a.* FROM asked a JOIN entered USING (payment_id) WHERE a.outcome = 'approved'
  ), moved AS (
    INSERT INTO wallet.movement (movement_id, cause_id, kind, from_id, to_id, amount, currency)
    SELECT payment_id, payment_id, 'debit', wallet_id, clearing_id, amount, currency FROM approved
  ), spent AS (
    UPDATE wallet.wallet w
    SET balance = w.balance - s.amount, updated_at = now()
    FROM (SELECT wallet_id, sum(amount)::bigint AS amount FROM approved GROUP BY wallet_id) s
    WHERE w.wallet_id = s.wallet_id
  )
  SELECT count(*)::integer AS entered FROM entered`;
