import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import type { WalletRow } from "../store/wallet.js";

/** A wallet as it is answered. */
export const walletBody = z.object({
  id: z.uuid(),
  user_id: z.string(),
  balance: z.string(),
  currency: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  /** Of a closed one. */
  closed_at: z.iso.datetime().optional(),
});

export function bodyOf({
  walletId,
  userId,
  balance,
  currency,
  createdAt,
  updatedAt,
  closedAt,
}: WalletRow): z.infer<typeof walletBody> {
  return {
    id: walletId,
    user_id: userId,
    balance: formatAmount(balance, currency),
    currency,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
    ...(closedAt === null ? {} : { closed_at: closedAt.toISOString() }),
  };
}
