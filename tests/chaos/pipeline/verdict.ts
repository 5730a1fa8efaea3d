import type { AllSettings } from "../../../app/settings.js";
import { ETL_QUEUES } from "../../../etl/queues.js";
import type { VerifyReport } from "../../../etl/verify/report.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { peek } from "../../harness/broker.js";
import { payments } from "../command.js";
import type { Check } from "../rig.js";
import { differences, fingerprintOf } from "./fingerprint.js";
import type { Load } from "./load.js";

/** What a database holds when all its runs are done. */
export interface Outcome {
  readonly report: VerifyReport | undefined;
  readonly verifyExit: number | null;
  readonly digests: readonly string[];
  readonly fingerprint: ReadonlyMap<string, string>;
}

export async function outcomeOf(settings: AllSettings, pool: Pool, database: string): Promise<Outcome> {
  const verified = await payments({ ...settings, POSTGRES_DB: database }, "verify", "--json");
  const report = verified.code === 0 || verified.code === 3 ? JSON.parse(verified.stdout) : undefined;
  return {
    report,
    verifyExit: verified.code,
    digests: ((report as VerifyReport | undefined)?.months ?? []).map(
      ({ month, rows, digest }) => `${month} ${rows} ${digest}`,
    ),
    fingerprint: await fingerprintOf(pool),
  };
}

export function compare(oracle: Outcome, chaos: Outcome): Check[] {
  const found = (chaos.report?.differences ?? []).map((difference) => JSON.stringify(difference));
  const missing = oracle.digests.filter((digest) => !chaos.digests.includes(digest));
  return [
    {
      name: "payments verify exits 0",
      complaints: chaos.verifyExit === 0 ? [] : [`exit ${chaos.verifyExit}`, ...found],
    },
    {
      name: "month digests are the oracle's",
      complaints:
        missing.length === 0 && chaos.digests.length === oracle.digests.length
          ? []
          : [`expected ${oracle.digests.join("; ")}`, `found ${chaos.digests.join("; ")}`],
    },
    {
      name: "ledger, rejects and aggregates are the oracle's",
      complaints: differences(oracle.fingerprint, chaos.fingerprint),
    },
  ];
}

/** A poison may be there twice: a worker died between copying and acking it. */
export async function checkDeadLetters(
  settings: AllSettings,
  load: Load,
): Promise<{ check: Check; letters: number }> {
  const letters = await peek(settings, ETL_QUEUES.deadLetter);
  const planted = new Set(load.poison.map(({ body }) => body));
  const found = new Set(letters.map((letter) => letter.content.toString()));
  const lost = [...planted].filter((body) => !found.has(body)).map((body) => `poison is missing: ${body}`);
  const strange = letters
    .filter((letter) => !planted.has(letter.content.toString()))
    .map((letter) => `not planted: ${letter.content} ${JSON.stringify(letter.properties.headers)}`);
  return {
    check: {
      name: `dead letters are just the ${planted.size} planted poisons`,
      complaints: [...lost, ...strange],
    },
    letters: letters.length,
  };
}

/** What must be gone when the workers have stopped. */
export const LEFTOVERS = {
  name: "no backend, lock or build is left",
  sql: `SELECT concat_ws(' ', 'backend', pid, application_name, state, left(query, 80)) AS what
        FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'payments-worker%'
        UNION ALL
        SELECT concat_ws(' ', 'lock', mode, 'on', relation::regclass, 'held by', l.pid)
        FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND a.usename = current_user AND l.pid <> pg_backend_pid()
        UNION ALL
        SELECT 'build ' || relname FROM pg_class
        WHERE relnamespace = 'staging'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'txn_shape'`,
} as const;
