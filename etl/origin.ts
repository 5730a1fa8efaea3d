import type { MessageHeaders } from "../lib/broker/delivery.js";
import type { Queryable } from "../lib/postgres/pool.js";
import { EtlError } from "./errors.js";
import { runIdentity } from "./ledger/run.js";

/**
 * Which run of which database a message is about. Databases that share a vhost number their runs alike, so "r2" alone may
 * mean a run of another database. Headers carry it: the body keeps its form, and a message typed by hand needs no headers.
 * A run is named by its database's name and by its time, so that a message survives a move or a restore of the database.
 */
const DATABASE = "x-database";
const CREATED_AT = "x-run-created-at";

export type Origin = Record<typeof DATABASE | typeof CREATED_AT, string>;

/**
 * The headers of messages about a run of this database.
 *
 * @throws PlatformError RUN_UNKNOWN
 */
export function originOf(db: Queryable, runId: string): Promise<Origin> {
  return requireOurs(db, runId, {});
}

/**
 * Refuses a message that names another database, or another run of the same number. Our ledger might say "done already",
 * and the message would be lost. It is tried again, because a worker of its database may take it then; at last it becomes a
 * dead letter.
 *
 * @returns the headers of the messages that follow.
 * @throws PlatformError RUN_ELSEWHERE, RUN_UNKNOWN
 */
export async function requireOurs(db: Queryable, runId: string, headers: MessageHeaders): Promise<Origin> {
  const { database, createdAt } = await runIdentity(db, runId);
  const named = headers[DATABASE] ?? database;
  const created = headers[CREATED_AT] ?? createdAt;
  if (named !== database) {
    const what = `run ${runId} of database ${named} came to a worker of ${database}.`;
    const hint = `Give each database a vhost of its own (RABBITMQ_VHOST), start a worker for ${named}, then: payments dlq replay.`;
    throw new EtlError("RUN_ELSEWHERE", what, { hint });
  }
  if (createdAt === null) {
    throw new EtlError("RUN_UNKNOWN", `there is no run ${runId} in database ${database}.`, {
      hint: "List them: payments status.",
    });
  }
  if (created !== createdAt) {
    const what = `the message is of a run ${runId} created at ${created}, that of database ${database} was at ${createdAt}.`;
    const hint =
      "Another server's database of the same name uses this vhost, or this one was restored to an earlier time.";
    throw new EtlError("RUN_ELSEWHERE", what, { hint });
  }
  return { [DATABASE]: database, [CREATED_AT]: createdAt };
}

/** Databases of this server that have workers, while ours has none: they will not take our messages. */
export async function workersElsewhere(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ database: string; ours: boolean }>(
    `SELECT DISTINCT datname::text AS database, datname = current_database() AS ours FROM pg_stat_activity
     WHERE usename = session_user AND application_name LIKE 'payments-worker %' ORDER BY 1`,
  );
  return rows.some(({ ours }) => ours) ? [] : rows.map(({ database }) => database);
}
