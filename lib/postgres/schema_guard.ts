import { adviceOf, codeOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { waitingMends } from "../retry.js";
import { fullJitterMs, pause } from "../timing.js";
import { verifySchema } from "./history.js";
import type { Migrated } from "./migrations.js";
import { type Pool, transaction } from "./pool.js";

const BACKOFF = { baseMs: 250, capMs: 5_000 };

/**
 * One connection to see that the database is there and is what these modules expect.
 *
 * @throws PlatformError POSTGRES_*, SCHEMA_*, ROLE_MISSING
 */
export async function requireSchema(pool: Pool, modules: readonly Migrated[]): Promise<void> {
  await transaction(pool, (client) => verifySchema(client, modules));
}

/** The same for a process that may be started before its database: waits until it answers. */
export async function waitForSchema(
  pool: Pool,
  modules: readonly Migrated[],
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await requireSchema(pool, modules);
    } catch (error) {
      if (!waitingMends(error)) {
        throw error;
      }
      logger.warn({ code: codeOf(error) }, `waiting for PostgreSQL: ${adviceOf(error)}`);
      await pause(fullJitterMs(attempt, BACKOFF), signal);
    }
  }
}
