import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import { instant, keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool, Queryable } from "../../../lib/postgres/pool.js";
import { type MovementRow, movementsOf } from "../store/movement.js";
import { findWallet } from "../store/wallet.js";
import { known } from "./get_wallet.js";

const movement = z.object({
  id: z.uuid(),
  kind: z.enum(["debit", "refund", "credit", "withdrawal", "funding"]),
  direction: z.enum(["in", "out"]),
  amount: z.string(),
  currency: z.string(),
  payment_id: z.uuid().nullable(),
  reference: z.string().nullable(),
  created_at: z.iso.datetime(),
});

const pages = keyset("movements", { moved_at: instant, id: z.uuid() });

export const listMovements = (pool: Pool, reads: Queryable) =>
  defineRoute({
    method: "GET",
    path: "/wallets/:id/movements",
    summary: "A wallet's movements, newest first, by pages",
    request: { params: z.object({ id: z.uuid().toLowerCase() }), query: z.strictObject({ ...pages.query }) },
    answers: { 200: pages.answer(movement) },
    handle: async ({ params: { id }, query }) => {
      known(id, await findWallet(pool, id));
      const { cursor } = query;
      const before = cursor && { movedAt: cursor.moved_at, movementId: cursor.id };
      const rows = await movementsOf(reads, id, { limit: pages.rowsOf(query), before });
      const page = pages.page(rows, query, ({ movedAt, movementId }) => ({
        moved_at: movedAt,
        id: movementId,
      }));
      return { status: 200, body: { ...page, items: page.items.map(bodyOf) } };
    },
  });

function bodyOf(row: MovementRow): z.infer<typeof movement> {
  const { movementId, kind, direction, amount, currency, paymentId, reference, movedAt } = row;
  return {
    id: movementId,
    kind,
    direction,
    amount: formatAmount(amount, currency),
    currency,
    payment_id: paymentId,
    reference,
    created_at: movedAt,
  };
}
