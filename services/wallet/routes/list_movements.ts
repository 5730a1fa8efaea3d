import { z } from "zod";
import { formatAmount } from "../../../lib/domain/money.js";
import { cursorOf, pageQuery } from "../../../lib/http/page.js";
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

/** Where a page ends: time with its microseconds, and id. */
const position = z.tuple([z.iso.datetime(), z.uuid()]);

export const listMovements = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/wallets/:id/movements",
    summary: "A wallet's movements, newest first, by pages",
    request: {
      params: z.object({ id: z.uuid() }),
      query: z.strictObject(pageQuery(position)),
    },
    answers: { 200: z.object({ movements: z.array(movement), next: z.string().nullable() }) },
    handle: async ({ params: { id }, query: { limit, cursor } }) => {
      known(id, await findWallet(pool, id));
      const before = cursor === undefined ? undefined : { movedAt: cursor[0], movementId: cursor[1] };
      // One more than asked for tells whether there are others.
      const rows = await movementsOf(pool, id, { limit: limit + 1, before });
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      const next = last === undefined ? null : cursorOf([last.movedAt, last.movementId]);
      return { status: 200, body: { movements: rows.slice(0, limit).map(bodyOf), next } };
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
