import { z } from "zod";
import { CoreError } from "../../../lib/core_errors.js";
import { currency } from "../../../lib/domain/fields.js";
import { newId } from "../../../lib/domain/ids.js";
import { CURRENCY_CODES } from "../../../lib/domain/money.js";
import { defineRoute } from "../../../lib/http/route.js";
import { type Pool, transaction } from "../../../lib/postgres/pool.js";
import { userId } from "../../contracts/fields.js";
import { WalletError } from "../errors.js";
import { insertWallet, lockOpening, walletsOf } from "../store/wallet.js";
import { bodyOf, walletBody } from "./wallet_body.js";

export const openWallet = (pool: Pool) =>
  defineRoute({
    method: "POST",
    path: "/wallets",
    summary: "Open a wallet; a user has one of each currency",
    request: { body: z.strictObject({ user_id: userId, currency: currency.meta({ examples: ["EUR"] }) }) },
    answers: { 201: walletBody },
    handle: async ({ body: { user_id, currency } }) => {
      if (!CURRENCY_CODES.includes(currency)) {
        const field = { in: "body", pointer: "#/currency" } as const;
        throw new CoreError("CURRENCY_UNKNOWN", "the currency is no active code of ISO 4217.", { field });
      }
      const wallet = { walletId: newId(), userId: user_id, currency };
      const opened = await transaction(pool, async (tx) => {
        await lockOpening(tx, [wallet]);
        return insertWallet(tx, wallet);
      });
      if (opened === undefined) {
        const open = (await walletsOf(pool, user_id)).find((each) => each.currency === currency);
        // It may have been closed since.
        const members = open === undefined ? {} : { wallet_id: open.walletId };
        throw new WalletError("WALLET_EXISTS", `the user has a wallet of ${currency}.`, { members });
      }
      return { status: 201, body: bodyOf(opened), headers: { location: `/wallets/${opened.walletId}` } };
    },
  });
