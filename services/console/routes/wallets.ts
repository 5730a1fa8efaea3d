import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import { instant, keyset } from "../../../lib/http/page.js";
import { pageQuery, written } from "../contracts/common.js";
import { movementList, type Wallet, walletDetail, walletList, walletQuery } from "../contracts/wallets.js";
import { known } from "../errors.js";
import { findWallet, listWallets, type MovementRow, movementsOf, type WalletRow } from "../store/wallet.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

const pages = keyset("console wallets", { user: written(255), currency: written(3) });
const movementPages = keyset("console movements", { moved_at: instant, id: z.uuid() });
const params = z.object({ id: z.uuid().toLowerCase() });

export const getWallets = (resources: Resources) =>
  look(resources, {
    path: "/wallets",
    summary: "Open wallets by user and currency",
    request: { query: walletQuery.extend({ cursor: pages.query.cursor }) },
    answer: walletList,
    handle: async ({ query }) => {
      const { q = "", cursor } = query;
      const rows = await listWallets(resources.reads, { q, after: cursor, limit: pages.rowsOf(query) });
      const { items, next } = pages.page(rows, query, ({ userId, currency }) => ({ user: userId, currency }));
      return { items: items.map(bodyOf), next };
    },
  });

export const getWallet = (resources: Resources) =>
  look(resources, {
    path: "/wallets/:id",
    summary: "A wallet",
    request: { params },
    answer: walletDetail,
    handle: async ({ params: { id } }) => ({
      wallet: bodyOf(known(await findWallet(resources.pool, id), `wallet ${id}`)),
    }),
  });

export const getMovements = (resources: Resources) =>
  look(resources, {
    path: "/wallets/:id/movements",
    summary: "A wallet's movements, newest first",
    request: { params, query: z.strictObject({ ...pageQuery, cursor: movementPages.query.cursor }) },
    answer: movementList,
    handle: async ({ params: { id }, query }) => {
      known(await findWallet(resources.pool, id), `wallet ${id}`);
      const rows = await movementsOf(resources.reads, id, {
        ...{ before: query.cursor, limit: movementPages.rowsOf(query) },
      });
      const { items, next } = movementPages.page(rows, query, ({ movedAt, id: movement }) => ({
        ...{ moved_at: movedAt, id: movement },
      }));
      return { items: items.map(movementOf), next };
    },
  });

const bodyOf = (row: WalletRow): Wallet => ({
  id: row.id,
  user_id: row.userId,
  currency: row.currency,
  balance: formatAmount(row.balance, row.currency),
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
  closed_at: row.closedAt?.toISOString() ?? null,
});

const movementOf = ({
  id,
  kind,
  direction,
  amount,
  currency,
  paymentId,
  reference,
  movedAt,
}: MovementRow) => ({
  ...{ id, kind, direction, currency, reference },
  amount: formatAmount(amount, currency),
  payment_id: paymentId,
  moved_at: movedAt,
});
