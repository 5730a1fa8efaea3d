import { one } from "../../../lib/postgres/one.js";
import type { Queryable } from "../../../lib/postgres/pool.js";

/** What changes with each look. */
export interface Pulse {
  /** Made in the stretch, and what became of them since. */
  readonly payments: bigint;
  readonly decided: bigint;
  readonly approved: bigint;
  readonly partnerEvents: bigint;
  readonly providerEvents: bigint;
  readonly pagos: bigint;
  /** At most MOST_PENDING. */
  readonly pending: bigint;
  readonly pendingOldestS: number;
}

/** The stretch that is counted. It ends a second ago: what was given its id before that is committed. */
export const STRETCH_S = 5;
const FROM = `ops.uuid_floor(now() - interval '${STRETCH_S + 1} seconds')`;
const TO = "ops.uuid_floor(now() - interval '1 second')";
const within = (id: string) => `${id} >= ${FROM} AND ${id} < ${TO}`;

/** Where more wait it is not the number that matters. */
export const MOST_PENDING = 10_000;

/** Ids are in the order of time, so the newest are a short stretch of each key: 10,000 rows at the highest rate, some 5 ms. */
export async function readPulse(db: Queryable): Promise<Pulse> {
  const { rows } = await db.query<Pulse>({
    name: "console_pulse",
    text: `
      SELECT made.*, pending.*,
             (SELECT count(*) FROM collector.console_event WHERE ${within("id")}) AS "partnerEvents",
             (SELECT count(*) FROM ingest.console_event WHERE ${within("id")}) AS "providerEvents",
             (SELECT count(*) FROM payouts.console_pago WHERE ${within("id_pago")}) AS pagos
      FROM (
        SELECT count(*) AS payments, count(*) FILTER (WHERE state <> 'PENDING') AS decided,
               count(*) FILTER (WHERE state NOT IN ('PENDING', 'DECLINED')) AS approved
        FROM saga.console_payment WHERE ${within("payment_id")}
      ) made, (
        SELECT count(*) AS pending,
               greatest(coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0), 0)::float8 AS "pendingOldestS"
        FROM (SELECT created_at FROM saga.console_payment WHERE state = 'PENDING' ORDER BY due_at LIMIT ${MOST_PENDING}) oldest
      ) pending`,
  });
  return one(rows);
}
