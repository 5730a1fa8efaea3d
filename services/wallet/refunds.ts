import { formatAmount, LARGEST_MINOR } from "../../lib/domain/money.js";
import { amountOfField } from "../../lib/http/amount_field.js";
import type { Queryable } from "../../lib/postgres/pool.js";
import { clearingId, type Wallet } from "./domain/debit.js";
import { decideRefund, refundMovementId } from "./domain/refund.js";
import { findDecisions, lockDecisions, type RecordedDecision } from "./store/decision.js";
import { enterRefunds, findRefunds, type MadeRefund, type NewRefund } from "./store/movement.js";
import { findOpenWalletsOf, lockOpening, lockWalletsOf } from "./store/wallet.js";

export interface Refund {
  readonly paymentId: string;
  readonly refundId: string;
  /** Decimal text; without one all that is left goes back. */
  readonly amount: string | undefined;
  /** The event that asks for it; without one a request over HTTP does. */
  readonly asked?: { readonly messageId: string; readonly userId: string };
}

export type RefundOutcome =
  | {
      readonly kind: "refunded";
      readonly userId: string;
      /** Decimal text. */
      readonly amount: string;
      readonly refundedTotal: string;
      /** It had been made before; then the total may count later ones too. */
      readonly repeat: boolean;
      /** The event that made it; null: a request over HTTP. */
      readonly madeBy: string | null;
    }
  | { readonly kind: "unknown payment" }
  /** It was asked for under another name than the debit's. */
  | { readonly kind: "another user"; readonly outcome: string }
  /** The wallet would hold more than it can. */
  | { readonly kind: "no room"; readonly walletId: string }
  /** The payment was declined, or given up before it was debited. */
  | { readonly kind: "nothing taken"; readonly outcome: string }
  /** The same refund was made with another amount. */
  | { readonly kind: "contradiction"; readonly amount: string }
  /** Decimal text of what is left. */
  | { readonly kind: "too much"; readonly left: string };

/**
 * Gives back what was taken for payments, in the order of the refunds.
 *
 * @throws CoreError AMOUNT_INVALID for an amount that is none of its payment's currency
 */
export async function refundPayments(tx: Queryable, refunds: readonly Refund[]): Promise<RefundOutcome[]> {
  const ids = [...new Set(refunds.map(({ paymentId }) => paymentId))];
  const found = new Map((await findDecisions(tx, ids)).map((each) => [each.paymentId, each.userId]));
  // Only those who are to get money; wallets are locked before decisions, as debits do it.
  const users = new Set(
    refunds.flatMap(({ paymentId, asked }) => {
      const user = found.get(paymentId);
      return user !== undefined && (asked?.userId ?? user) === user ? user : [];
    }),
  );
  const wallets = await lockWalletsOf(tx, [...users]);
  const decisions = await lockDecisions(tx, ids);
  const refundable = decisions.filter(({ userId }) => users.has(userId));
  const targets = targetsOf(refundable, await lockTargets(tx, refundable, wallets));
  const { outcomes, entering } = decideRefunds(refunds, decisions, targets, await findMade(tx, refunds));
  await enterRefunds(tx, entering);
  return outcomes;
}

/** The same outcomes as things stand, with nothing entered and nothing locked. */
export async function foreseeRefunds(db: Queryable, refunds: readonly Refund[]): Promise<RefundOutcome[]> {
  const decisions = await findDecisions(db, [...new Set(refunds.map(({ paymentId }) => paymentId))]);
  const wallets = await findOpenWalletsOf(db, [...new Set(decisions.map(({ userId }) => userId))]);
  const made = await findMade(db, refunds);
  return decideRefunds(refunds, decisions, targetsOf(decisions, wallets), made).outcomes;
}

const findMade = (db: Queryable, refunds: readonly Refund[]) =>
  findRefunds(
    db,
    refunds.map((refund) => ({ paymentId: refund.paymentId, movementId: refundMovementId(refund) })),
  );

/** Decides about refunds in their order, each on what those before it left. */
function decideRefunds(
  refunds: readonly Refund[],
  recorded: readonly RecordedDecision[],
  targets: Map<string, Target>,
  before: ReadonlyMap<string, MadeRefund>,
): { readonly outcomes: RefundOutcome[]; readonly entering: readonly NewRefund[] } {
  const decisions = new Map(recorded.map((each) => [each.paymentId, each]));
  const made = new Map(before);
  const entering: NewRefund[] = [];
  const outcomes = refunds.map((refund): RefundOutcome => {
    const decision = decisions.get(refund.paymentId);
    if (decision === undefined) {
      return { kind: "unknown payment" };
    }
    const { userId, outcome, currency, walletId } = decision;
    if ((refund.asked?.userId ?? userId) !== userId) {
      return { kind: "another user", outcome };
    }
    if (currency === null || walletId === null || outcome !== "approved") {
      return { kind: "nothing taken", outcome };
    }
    const { amount: part } = refund;
    const amount = part === undefined ? undefined : amountOfField(part, currency, "amount");
    const movementId = refundMovementId(refund);
    const same = made.get(movementId);
    if (same !== undefined) {
      return repetition(decision, currency, { before: same, amount });
    }
    const decided = decideRefund({ amount }, decision);
    if (decided.kind === "nothing taken") {
      return { kind: "nothing taken", outcome };
    }
    if (decided.kind === "too much") {
      return { kind: "too much", left: formatAmount(decided.left, currency) };
    }
    const target = targets.get(ownerKey(decision)) ?? { walletId, balance: 0n };
    const balance = target.balance + decided.amount;
    if (balance > LARGEST_MINOR) {
      return { kind: "no room", walletId: target.walletId };
    }
    targets.set(ownerKey(decision), { ...target, balance });
    const madeBy = refund.asked?.messageId ?? null;
    entering.push({
      movementId,
      paymentId: refund.paymentId,
      refundId: refund.refundId,
      clearingId: clearingId(currency),
      walletId: target.walletId,
      amount: decided.amount,
      currency,
      messageId: madeBy,
    });
    made.set(movementId, { amount: decided.amount, messageId: madeBy });
    decisions.set(refund.paymentId, { ...decision, refunded: decided.refundedTotal });
    const refundedTotal = formatAmount(decided.refundedTotal, currency);
    return {
      kind: "refunded",
      userId,
      amount: formatAmount(decided.amount, currency),
      refundedTotal,
      repeat: false,
      madeBy,
    };
  });
  return { outcomes, entering };
}

type Target = Pick<Wallet, "walletId" | "balance">;

const ownerKey = ({ userId, currency }: Pick<RecordedDecision, "userId" | "currency">): string =>
  `${currency} ${userId}`;

/** Where the money of a user and currency goes back to: the open wallet, or else one that was closed, which is open then. */
function targetsOf(decisions: readonly RecordedDecision[], wallets: readonly Wallet[]): Map<string, Target> {
  return new Map<string, Target>([
    ...homelessOf(decisions, wallets).map(
      (decision) => [ownerKey(decision), { walletId: decision.walletId as string, balance: 0n }] as const,
    ),
    ...wallets.map((wallet) => [ownerKey(wallet), wallet] as const),
  ]);
}

/** Those whose owner has no open wallet of their currency. */
function homelessOf(
  decisions: readonly RecordedDecision[],
  wallets: readonly Wallet[],
): readonly RecordedDecision[] {
  const open = new Set(wallets.map(ownerKey));
  return decisions.filter((decision) => decision.walletId !== null && !open.has(ownerKey(decision)));
}

/** Only one wallet of a user and currency may be open, so who opens another one meanwhile waits. @returns all open ones, locked */
async function lockTargets(
  tx: Queryable,
  decisions: readonly RecordedDecision[],
  wallets: readonly Wallet[],
): Promise<readonly Wallet[]> {
  const homeless = homelessOf(decisions, wallets);
  if (homeless.length === 0) {
    return wallets;
  }
  await lockOpening(
    tx,
    homeless.map(({ userId, currency }) => ({ userId, currency: currency as string })),
  );
  // Opened since the first look.
  return [...wallets, ...(await lockWalletsOf(tx, [...new Set(homeless.map(({ userId }) => userId))]))];
}

function repetition(
  { userId, refunded }: RecordedDecision,
  currency: string,
  { before, amount }: { readonly before: MadeRefund; readonly amount: bigint | undefined },
): RefundOutcome {
  if (amount !== undefined && amount !== before.amount) {
    return { kind: "contradiction", amount: formatAmount(before.amount, currency) };
  }
  return {
    kind: "refunded",
    userId,
    amount: formatAmount(before.amount, currency),
    refundedTotal: formatAmount(refunded, currency),
    repeat: true,
    madeBy: before.messageId,
  };
}
