import type { MessageHeaders } from "../lib/broker/delivery.js";
import type { Queryable } from "../lib/postgres/pool.js";
import { EtlError } from "./errors.js";

/**
 * Which run of which database a message is about. Databases that share a vhost count their runs alike, so "r2" alone may mean
 * another one's, which is done perhaps. Told in headers: the body stays what people know, and may be typed by hand without
 * them. By name and time, not by ids of server or database, so that a message outlives a move or a restore of its database.
 */
const DATABASE = "x-database";
const CREATED_AT = "x-run-created-at";

export type Origin = Record<typeof DATABASE | typeof CREATED_AT, string>;

/**
 * What messages about a run of this database bear.
 *
 * @throws PlatformError RUN_UNKNOWN
 */
export function originOf(db: Queryable, runId: string): Promise<Origin> {
  return requireOurs(db, runId, {});
}

/**
 * A message that names another database, or another run of the same number, must not be answered from our ledger: "done
 * already" would lose it. It is tried again, for a worker of its database may take it then, and ends as a dead letter.
 *
 * @returns what the messages that follow bear.
 * @throws PlatformError RUN_ELSEWHERE, RUN_UNKNOWN
 */
export async function requireOurs(db: Queryable, runId: string, headers: MessageHeaders): Promise<Origin> {
  const { rows } = await db.query<{ database: string; created_at: string | null }>(
    `SELECT current_database() AS database,
            (SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM etl.run WHERE run_id = $1)
              AS created_at`,
    [runId],
  );
  const { database = "?", created_at: createdAt = null } = rows[0] ?? {};
  const named = headers[DATABASE] ?? database;
  const created = headers[CREATED_AT] ?? createdAt;
  if (named !== database) {
    throw new EtlError(
      "RUN_ELSEWHERE",
      `run ${runId} of database ${named} came to a worker of ${database}.`,
      {
        hint: `Give each database a vhost of its own (RABBITMQ_VHOST), start a worker for ${named}, then: payments dlq replay.`,
      },
    );
  }
  if (createdAt === null) {
    throw new EtlError("RUN_UNKNOWN", `there is no run ${runId} in database ${database}.`, {
      hint: "List them: payments status.",
    });
  }
  if (created !== createdAt) {
    throw new EtlError(
      "RUN_ELSEWHERE",
      `the message is of a run ${runId} created at ${created}, that of database ${database} was at ${createdAt}.`,
      {
        hint: "Another server's database of the same name uses this vhost, or this one was restored to an earlier time.",
      },
    );
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
