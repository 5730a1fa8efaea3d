import type { Queryable } from "../../../lib/postgres/pool.js";

/** An event that was not applied, and why. */
export interface IllegalTransition {
  readonly messageId: string;
  readonly event: string;
  readonly paymentId: string;
  /** The decision that it met. */
  readonly state: string;
  readonly reason: string;
}

export async function recordIllegalTransitions(
  tx: Queryable,
  transitions: readonly IllegalTransition[],
): Promise<void> {
  if (transitions.length === 0) {
    return;
  }
  await tx.query({
    name: "wallet_record_illegal",
    text: `INSERT INTO wallet.illegal_transition (message_id, event, subject_id, state, reason)
           SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[])
           ON CONFLICT DO NOTHING`,
    values: [
      transitions.map(({ messageId }) => messageId),
      transitions.map(({ event }) => event),
      transitions.map(({ paymentId }) => paymentId),
      transitions.map(({ state }) => state),
      transitions.map(({ reason }) => reason),
    ],
  });
}
