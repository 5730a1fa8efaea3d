import { derivedId } from "../../../lib/domain/ids.js";
import type { Decision } from "./debit.js";

/** The whole rest of a payment goes back under this id. */
export const REST = "rest";

/** What has been taken for a payment, and what of it went back; minor units. */
export type Refundable = Pick<Decision, "outcome" | "amount"> & { readonly refunded: bigint };

export type RefundResult =
  | { readonly kind: "refund"; readonly amount: bigint; readonly refundedTotal: bigint }
  /** Nothing was taken: declined or cancelled. */
  | { readonly kind: "nothing taken" }
  /** More than what is left, which may be nothing. */
  | { readonly kind: "too much"; readonly left: bigint };

/**
 * Decides about one refund that has not been made before.
 *
 * @param request its amount in minor units; undefined: all that is left
 */
export function decideRefund(
  request: { readonly amount: bigint | undefined },
  debit: Refundable,
): RefundResult {
  if (debit.outcome !== "approved" || debit.amount === null) {
    return { kind: "nothing taken" };
  }
  const left = debit.amount - debit.refunded;
  const back = request.amount ?? left;
  if (back > left || left === 0n) {
    return { kind: "too much", left };
  }
  return { kind: "refund", amount: back, refundedTotal: debit.refunded + back };
}

/** The same refund has the same movement, however often it is asked for. */
export const refundMovementId = ({
  paymentId,
  refundId,
}: {
  readonly paymentId: string;
  readonly refundId: string;
}): string => derivedId(`${paymentId} ${refundId}`, "wallet.refund");
