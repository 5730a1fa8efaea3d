import { z } from "zod";
import { amount, reference } from "../../../lib/domain/fields.js";
import { newId } from "../../../lib/domain/ids.js";
import { formatAmount, LARGEST_MINOR } from "../../../lib/domain/money.js";
import { amountOfField } from "../../../lib/http/amount_field.js";
import { type Answer, replayed } from "../../../lib/http/answer.js";
import { withIdempotency } from "../../../lib/http/idempotency.js";
import { defineRoute } from "../../../lib/http/route.js";
import { type Pool, type Queryable, transaction } from "../../../lib/postgres/pool.js";
import { fundingId } from "../domain/debit.js";
import { WalletError } from "../errors.js";
import { enterTransfer, findReference, type Transfer, type UsedReference } from "../store/movement.js";
import { lockWallet, type WalletRow } from "../store/wallet.js";
import { known, requireOpen } from "./get_wallet.js";

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
      params: z.object({ id: z.uuid().toLowerCase() }),
      body: z.strictObject({ amount, reference }),
    },
    idempotency: "optional",
    answers: { 201: moved },
    handle: async (request) => {
      const { params, body } = request;
      return transaction(pool, (tx) =>
        withIdempotency(tx, { schema: "wallet", request }, () => move(tx, { kind, id: params.id, ...body })),
      );
    },
  });
}

interface Move {
  readonly kind: "credit" | "withdrawal";
  readonly id: string;
  readonly amount: string;
  readonly reference: string;
}

async function move(tx: Queryable, { kind, id, amount: text, reference: name }: Move): Promise<Answer> {
  const wallet = known(id, await lockWallet(tx, id));
  const { currency } = wallet;
  const minor = amountOfField(text, currency, "amount");
  const used = await findReference(tx, { walletId: id, kind, reference: name });
  if (used !== undefined) {
    requireSame(used, minor, { reference: name, currency });
  } else {
    requireOpen(wallet);
    requireRoom(wallet, kind === "credit" ? minor : -minor);
  }
  const { movementId, balance } =
    used ?? (await entered(tx, { wallet, kind, amount: minor, reference: name }));
  const body = {
    movement_id: movementId,
    wallet_id: id,
    amount: formatAmount(minor, currency),
    balance: formatAmount(balance, currency),
    currency,
    reference: name,
  };
  return { status: 201, body, headers: replayed(used !== undefined) };
}

async function entered(
  tx: Queryable,
  transfer: Pick<Transfer, "kind" | "amount" | "reference"> & { readonly wallet: WalletRow },
): Promise<{ readonly movementId: string; readonly balance: bigint }> {
  const { walletId, currency } = transfer.wallet;
  const movementId = newId();
  const row = { ...transfer, movementId, walletId, fundingId: fundingId(currency), currency };
  return { movementId, balance: await enterTransfer(tx, row) };
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
