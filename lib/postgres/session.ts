import type pg from "pg";
import { codeOf } from "../errors.js";
import { one } from "./one.js";

/**
 * What a session must be like for our SQL, the driver's parsing and our promises, whatever `ALTER ROLE … SET`, `ALTER DATABASE …
 * SET` or postgresql.conf say. A setting that is not here is the DBA's to choose (work_mem, jit, enable_*, tablespaces): it
 * changes how fast, not what.
 *
 * Not here on purpose: default_transaction_read_only, a guard that somebody put up (we wait until it is taken away);
 * temp_file_limit and session_replication_role, which only a superuser may set; client_encoding, which the driver always sends.
 */
const PINNED: Readonly<Record<string, string>> = {
  // The driver reads dates and times in this form only, by any other they are null or wrong.
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  bytea_output: "hex",
  // A float is given in the fewest digits that read back as the same: rates of a run decide its bytes.
  extra_float_digits: "1",
  TimeZone: "UTC",
  // Tables are named with their schema; what is typed into SQL by hand need not be.
  search_path: "payments, public",
  // Patterns in our SQL hold backslashes.
  standard_conforming_strings: "on",
  // An array's NULL is null and not the word.
  array_nulls: "on",
  transform_null_equals: "off",
  // Definitions are compared as text.
  quote_all_identifiers: "off",
  // The ledger's rows are the locks: who has waited for one must see what the other wrote.
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
  // A step that loses against another is tried again on the same connection.
  exit_on_error: "off",
  // A COPY, an index build or a proof may take any time; who is frozen is found by heartbeats (lib/runtime/lease.ts, half_open.ts).
  statement_timeout: "0",
  lock_timeout: "0",
  transaction_timeout: "0",
  idle_session_timeout: "0",
  // But a forgotten transaction holds back vacuum in the whole database.
  idle_in_transaction_session_timeout: "15min",
};

/**
 * In one round trip, and not as startup options, which poolers refuse. What a server does not know (transaction_timeout came
 * with 17) is left out. synchronous_commit may be as strict as one likes, but not off: a message is acked for good once its
 * ledger entry is committed. A pooler may have changed the application's name, by which a frozen worker's sessions are ended.
 */
const SQL = `
  SELECT set_config(name, value, false), pg_is_in_recovery() AS standby
  FROM unnest($1::text[], $2::text[]) AS pinned (name, value)
  WHERE current_setting(name, true) IS NOT NULL
  UNION ALL
  SELECT set_config('synchronous_commit', 'on', false), pg_is_in_recovery() WHERE current_setting('synchronous_commit') = 'off'`;

const ANSWER_MS = 10_000;
const CANCELLED = "57014";
const TRIES = 5;

/**
 * Makes a new session ours.
 *
 * @param applicationName shown in pg_stat_activity
 * @param more settings that the caller pins
 * @returns whether the server is a standby, which takes no changes.
 */
export async function pinSession(
  client: pg.ClientBase,
  applicationName: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly standby: boolean }> {
  const settings = { ...PINNED, ...more, application_name: applicationName };
  const query = { text: SQL, values: [Object.keys(settings), Object.values(settings)] };
  for (let tries = 1; ; tries++) {
    try {
      // Without a limit a server that stops answering here would be waited for without end.
      const limited = { ...query, query_timeout: ANSWER_MS } as pg.QueryConfig;
      return one((await client.query<{ standby: boolean }>(limited)).rows);
    } catch (error) {
      // It still runs under the timeout that it takes away: one of a few milliseconds may hit it on a busy machine.
      if (codeOf(error) !== CANCELLED || tries === TRIES) {
        throw error;
      }
    }
  }
}
