import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
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

export const listMovements = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/wallets/:id/movements",
    summary: "A wallet's movements, newest first, by pages",
    request: {
      params: z.object({ id: z.uuid() }),
      query: z.strictObject({
        limit: z.coerce.number().int().min(1).max(100).default(50),
        cursor: z.string().optional(),
      }),
    },
    answers: { 200: z.object({ movements: z.array(movement), next: z.string().nullable() }) },
    handle: async ({ params: { id }, query: { limit } }) => {
      known(id, await findWallet(pool, id));
      const rows = await movementsOf(pool, id, { limit: limit + 1 });
      return { status: 200, body: { movements: rows.slice(0, limit).map(bodyOf), next: null } };
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
