import type { Queryable } from "../../../lib/postgres/pool.js";
import { MAX_BYTES } from "../domain/document.js";
import type { LakeRow } from "./row.js";

/** Where a look at the table goes on; null: from its oldest row. */
export type Place = Pick<ClaimedRow, "id" | "createdAt"> | null;

export interface ClaimedRow extends LakeRow {
  /** As PostgreSQL writes it, to the microsecond. */
  readonly createdAt: string;
}

/**
 * Locks the oldest rows after a place that wait and that nobody else has in hand. With a place the index is not walked again over what
 * was marked a moment ago. What is longer than an event may be is cut, and refused by its length.
 */
export async function claimRows(
  tx: Queryable,
  {
    after,
    max,
    without,
  }: { readonly after: Place; readonly max: number; readonly without: readonly string[] },
): Promise<readonly ClaimedRow[]> {
  const { rows } = await tx.query<ClaimedRow>({
    name: "lake_claim",
    text: `SELECT id, left(data::text, $4) AS data, merchant ->> 'name' AS "merchantName", merchant ->> 'country' AS "merchantCountry",
                  transactional_id AS "transactionalId", created_at::text AS "createdAt"
           FROM public.raw_transactions
           WHERE NOT processed AND (created_at, id) > ($1::timestamptz, $2::uuid) AND id <> ALL ($5::uuid[])
           ORDER BY created_at, id
           LIMIT $3
           FOR UPDATE SKIP LOCKED`,
    values: [after?.createdAt ?? "-infinity", after?.id ?? NIL, max, MAX_BYTES + 1, without],
  });
  return rows;
}

/** Before the first id there is. */
const NIL = "00000000-0000-0000-0000-000000000000";

export async function markRows(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query({
    name: "lake_mark",
    text: "UPDATE public.raw_transactions SET processed = true, processed_at = now() WHERE id = ANY ($1::uuid[])",
    values: [ids],
  });
}

/** Takes marks back, for rows whose events a restore has taken away. @returns how many */
export async function unmarkRows(db: Queryable, since: Date): Promise<number> {
  const { rowCount } = await db.query(
    "UPDATE public.raw_transactions SET processed = false, processed_at = NULL WHERE processed AND processed_at >= $1",
    [since],
  );
  return rowCount ?? 0;
}
