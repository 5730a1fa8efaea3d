import { z } from "zod";
import { amount, reference } from "../../../lib/domain/fields.js";
import { newId } from "../../../lib/domain/ids.js";
import { formatAmount, LARGEST_MINOR, parseAmount } from "../../../lib/domain/money.js";
import { defineRoute } from "../../../lib/http/route.js";
import { type Pool, transaction } from "../../../lib/postgres/pool.js";
import { fundingId } from "../domain/debit.js";
import { WalletError } from "../errors.js";
import { enterTransfer, findReference, type UsedReference } from "../store/movement.js";
import { lockWallet, type WalletRow } from "../store/wallet.js";
import { open } from "./get_wallet.js";

const moved = z.object({
  movement_id: z.uuid(),
  wallet_id: z.uuid(),
  amount: z.string(),
  balance: z.string(),
  currency: z.string(),
  reference: z.string(),
});

export const creditWallet = (pool: Pool) => moveMoney(pool, "credit", "Put money into a wallet");
export const debitWallet = (pool: Pool) => moveMoney(pool, "debit", "Take money out of a wallet");

/** Each reference takes effect once per wallet and kind: a repetition is answered as the first was. */
function moveMoney(pool: Pool, verb: "credit" | "debit", summary: string) {
  const kind = verb === "credit" ? ("credit" as const) : ("withdrawal" as const);
  return defineRoute({
    method: "POST",
    path: `/wallets/:id/${verb}`,
    summary,
    request: {
      params: z.object({ id: z.uuid() }),
      body: z.strictObject({ amount, reference }),
    },
    answers: { 201: moved },
    handle: async ({ params: { id }, body: { amount: text, reference } }) =>
      transaction(pool, async (tx) => {
        const wallet = open(id, await lockWallet(tx, id));
        const { currency } = wallet;
        const amount = parseAmount(text, currency);
        const answer = (
          status: number,
          { movementId, balance }: Pick<UsedReference, "movementId" | "balance">,
        ) => ({
          status,
          body: {
            movement_id: movementId,
            wallet_id: id,
            amount: formatAmount(amount, currency),
            balance: formatAmount(balance, currency),
            currency,
            reference,
          },
        });
        const used = await findReference(tx, { walletId: id, kind, reference });
        if (used !== undefined) {
          requireSame(used, amount, { reference, currency });
          return { ...answer(201, used), headers: { "idempotent-replayed": "true" } };
        }
        requireRoom(wallet, kind === "credit" ? amount : -amount);
        const movementId = newId();
        const transfer = {
          movementId,
          kind,
          walletId: id,
          fundingId: fundingId(currency),
          amount,
          currency,
          reference,
        };
        return answer(201, { movementId, balance: await enterTransfer(tx, transfer) });
      }),
  });
}

/** @throws WalletError REFERENCE_USED */
function requireSame(
  used: UsedReference,
  amount: bigint,
  { reference, currency }: { readonly reference: string; readonly currency: string },
): void {
  if (used.amount !== amount) {
    throw new WalletError(
      "REFERENCE_USED",
      `reference ${reference} was used for ${formatAmount(used.amount, currency)} ${currency}.`,
      { hint: "Use another reference for another movement." },
    );
  }
}

/** @throws WalletError FUNDS_INSUFFICIENT, BALANCE_TOO_LARGE */
function requireRoom({ walletId, balance, currency }: WalletRow, change: bigint): void {
  if (balance + change < 0n) {
    throw new WalletError(
      "FUNDS_INSUFFICIENT",
      `wallet ${walletId} holds ${formatAmount(balance, currency)} ${currency}.`,
    );
  }
  if (balance + change > LARGEST_MINOR) {
    throw new WalletError("BALANCE_TOO_LARGE", `wallet ${walletId} cannot hold that much.`);
  }
}
