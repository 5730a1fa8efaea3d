import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { userId } from "../../contracts/fields.js";
import { walletsOf } from "../store/wallet.js";
import { bodyOf, walletBody } from "./wallet_body.js";

export const listWallets = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/wallets",
    summary: "The open wallets of a user",
    request: { query: z.strictObject({ user_id: userId }) },
    answers: { 200: z.object({ wallets: z.array(walletBody) }) },
    handle: async ({ query: { user_id } }) => ({
      status: 200,
      body: { wallets: (await walletsOf(pool, user_id)).map(bodyOf) },
    }),
  });
