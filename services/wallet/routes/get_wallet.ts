import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { WalletError } from "../errors.js";
import { findWallet, type WalletRow } from "../store/wallet.js";
import { bodyOf, walletBody } from "./wallet_body.js";

export const getWallet = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/wallets/:id",
    summary: "A wallet",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answers: { 200: walletBody },
    handle: async ({ params: { id } }) => ({
      status: 200,
      body: bodyOf(known(id, await findWallet(pool, id))),
    }),
  });

/** @throws WalletError WALLET_UNKNOWN */
export function known(id: string, wallet: WalletRow | undefined): WalletRow {
  if (wallet === undefined) {
    throw new WalletError("WALLET_UNKNOWN", `there is no wallet ${id}.`);
  }
  return wallet;
}

/** @throws WalletError WALLET_CLOSED */
export function requireOpen({ walletId, closedAt }: WalletRow): void {
  if (closedAt !== null) {
    throw new WalletError("WALLET_CLOSED", `wallet ${walletId} was closed at ${closedAt.toISOString()}.`);
  }
}
