import type { OutgoingMessage } from "../lib/broker/confirms.js";
import { newId } from "../lib/domain/ids.js";
import { formatAmount } from "../lib/domain/money.js";
import { eventMessage } from "../lib/messaging/event.js";
import type { Queryable } from "../lib/postgres/pool.js";
import { loadSql } from "../lib/postgres/sql.js";
import { walletDebitRequested } from "../services/contracts/wallet_debit_requested.js";
import type { Difference } from "./audit.js";

interface Disputed {
  readonly paymentId: string;
  readonly userId: string;
  /** Minor units, as text. */
  readonly amount: string;
  readonly currency: string;
}

/**
 * Messages that ask the wallet once more about payments on which payments and wallet disagree, by the command that payments would
 * send. The wallet says what it decided and what went back; payments takes that, or asks the money back.
 */
export async function questions(
  db: Queryable,
  differences: readonly Difference[],
): Promise<readonly OutgoingMessage[]> {
  const ids = differences.flatMap(({ module, what }) =>
    module === "payments, wallet" ? what.replace(/^payment /, "") : [],
  );
  if (ids.length === 0) {
    return [];
  }
  const { rows } = await db.query<Disputed>(loadSql("disputed_payments"), [ids]);
  return rows.map(({ paymentId: payment_id, userId: user_id, amount, currency }) =>
    eventMessage(
      walletDebitRequested,
      { payment_id, user_id, amount: formatAmount(BigInt(amount), currency), currency, reason: "audit" },
      { messageId: newId(), repeat: true },
    ),
  );
}
