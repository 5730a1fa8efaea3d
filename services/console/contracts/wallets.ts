import { z } from "zod";
import { amount, asOf, instant, listOf, pageQuery, written } from "./common.js";

export const wallet = z.object({
  id: z.uuid(),
  user_id: z.string(),
  currency: z.string(),
  balance: amount,
  created_at: instant,
  updated_at: instant,
  closed_at: instant.nullable(),
});
export type Wallet = z.output<typeof wallet>;

/** GET wallets?q&cursor: open ones by user and currency, those whose user begins with `q`. */
export const walletQuery = z.strictObject({ ...pageQuery, q: written(255).optional() });
export const walletList = listOf(wallet);

/** GET wallets/:id, the wallet's id; a closed one too. */
export const walletDetail = z.object({ wallet, ...asOf });

/** GET wallets/:id/movements?cursor, newest first. */
export const movementList = listOf(
  z.object({
    id: z.uuid(),
    kind: z.enum(["debit", "refund", "credit", "withdrawal", "funding"]),
    direction: z.enum(["in", "out"]),
    amount,
    currency: z.string(),
    payment_id: z.uuid().nullable(),
    reference: z.string().nullable(),
    moved_at: instant,
  }),
);
