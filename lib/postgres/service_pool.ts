import type { Settings } from "../settings/base.js";
import { createPool, type Pool } from "./pool.js";

/**
 * So that a process that was frozen lets go of its locks before anybody misses them. Statements of a service take
 * milliseconds; one that may take longer says so itself. Whoever waits for a lock gives up before its frozen holder is ended: granted
 * after that in the same frozen process, it would be held for another second (2,018 ms were seen in place of 1,000).
 */
const LIMITS = {
  idle_in_transaction_session_timeout: "1s",
  lock_timeout: "800ms",
  statement_timeout: "5s",
};

/**
 * Statements are few, prepared, and find their rows by keys. A plan that is made anew for each batch costs more than the batch; one
 * made while a month was empty would read all of it, for as long as nobody analyzed the table.
 */
const PLANS = { plan_cache_mode: "force_generic_plan", enable_seqscan: "off" };

/** Above the server's own limit on a statement: whoever is not answered by then has lost its server. */
const SILENCE_MS = 8_000;

export interface ServicePoolOptions {
  /** Whose tables it works on; the role `payments_<schema>` has the rights. */
  readonly role: string;
  readonly schema: string;
  readonly max: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Statements may take any time; they lift the server's limits themselves. */
  readonly bulk?: boolean;
  /** The server refuses all that changes or locks anything. */
  readonly readOnly?: boolean;
}

/** A pool of a service: acts as the service's own role, whoever logged in; bigints are money and come as bigint. */
export function createServicePool(settings: Settings, options: ServicePoolOptions): Pool {
  const { role, schema, max, applicationName, bulk = false, readOnly = false } = options;
  const only = readOnly ? { default_transaction_read_only: "on" } : {};
  return createPool(settings, {
    role: "app",
    max,
    applicationName,
    bigints: "bigint",
    queryTimeoutMs: bulk ? 0 : SILENCE_MS,
    session: { ...LIMITS, ...(bulk ? {} : PLANS), ...only, role, search_path: schema },
  });
}
