import type pg from "pg";
import type { Queryable } from "../../lib/postgres/pool.js";
import type { Death } from "../../lib/runtime/handle_delivery.js";
import type { OutMessage } from "../message.js";

/** A step whose message ended as a dead letter. */
export interface Failure {
  readonly step: OutMessage["kind"];
  readonly chunk: number | null;
  /** `YYYY-MM-01` */
  readonly month: string | null;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly messageId: string | null;
  readonly failedAt: string;
}

/** The message is already among the dead letters, so nobody waits long for a ledger that does not answer. */
const RECORD_TIMEOUT_MS = 5_000;

/** @throws what the database says; a run that it does not know violates a constraint. */
export async function recordFailure(
  db: Queryable,
  message: OutMessage,
  failure: Death & { readonly worker: string },
): Promise<void> {
  const { code, reason, attempts, messageId, worker } = failure;
  const query = {
    text: `INSERT INTO etl.failure (run_id, step, chunk_no, month, code, reason, attempts, message_id, worker)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (run_id, step, chunk_no, month) DO UPDATE
           SET code = excluded.code, reason = excluded.reason, attempts = excluded.attempts,
               message_id = excluded.message_id, worker = excluded.worker, failed_at = clock_timestamp()`,
    values: [
      message.run,
      message.kind,
      "chunk" in message ? message.chunk : null,
      "month" in message ? message.month : null,
      code,
      reason,
      attempts,
      messageId,
      worker,
    ],
    query_timeout: RECORD_TIMEOUT_MS,
  };
  await db.query(query as pg.QueryConfig);
}

/** What keeps unfinished runs from going on, by run. */
export async function standingFailures(db: Queryable): Promise<ReadonlyMap<string, readonly Failure[]>> {
  const { rows } = await db.query<Omit<Failure, "failedAt"> & { run: string; failedAt: Date }>(
    `SELECT run_id AS run, step, chunk_no AS chunk, month, code, reason, attempts, message_id AS "messageId",
            failed_at AS "failedAt"
     FROM etl.standing_failure ORDER BY failed_at`,
  );
  const byRun = new Map<string, Failure[]>();
  for (const { run, failedAt, ...failure } of rows) {
    const failures = byRun.get(run) ?? [];
    failures.push({ ...failure, failedAt: failedAt.toISOString() });
    byRun.set(run, failures);
  }
  return byRun;
}

/** All that the run waits for is about to be sent again. */
export async function forgetFailures(db: Queryable, runId: string): Promise<void> {
  await db.query("DELETE FROM etl.failure WHERE run_id = $1", [runId]);
}
