import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { WalletError } from "../errors.js";
import { closeWallet as close, findWallet } from "../store/wallet.js";
import { known } from "./get_wallet.js";

export const closeWallet = (pool: Pool) =>
  defineRoute({
    method: "DELETE",
    path: "/wallets/:id",
    summary: "Close an empty wallet; closing it again changes nothing",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answers: { 204: z.undefined() },
    handle: async ({ params: { id } }) => {
      if (!(await close(pool, id)) && known(id, await findWallet(pool, id)).closedAt === null) {
        throw new WalletError("WALLET_NOT_EMPTY", `wallet ${id} holds money.`, { hint: "Debit it first." });
      }
      return { status: 204, body: undefined };
    },
  });
