import { hexOf } from "../../../lib/domain/ids.js";
import { instantOf } from "../../../lib/http/page.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Awaiting, State } from "../domain/payment.js";

/** What happened to a payment, once. */
export interface Step {
  /** With microseconds: steps are milliseconds apart. */
  readonly takenAt: string;
  readonly state: State;
  readonly awaiting: Awaiting | null;
  /** That led to it. */
  readonly event: string;
  readonly messageId: string;
  readonly traceId: string;
}

/** In their order. A payment has four, and one more for each part of it that went back. */
export async function stepsOf(db: Queryable, paymentId: string): Promise<readonly Step[]> {
  const { rows } = await db.query<Omit<Step, "traceId"> & { traceUuid: string }>({
    name: "saga_steps",
    text: `SELECT ${instantOf("taken_at")} AS "takenAt", state, awaiting, event, message_id AS "messageId",
                  trace_id AS "traceUuid"
           FROM saga.step WHERE payment_id = $1 ORDER BY taken_at, message_id LIMIT 1000`,
    values: [paymentId],
  });
  return rows.map(({ traceUuid, ...row }) => ({ ...row, traceId: hexOf(traceUuid) }));
}
