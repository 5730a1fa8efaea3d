import { adviceOf, codeOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { waitingMends } from "../retry.js";
import { fullJitterMs, pause } from "../timing.js";
import { verifySchema } from "./migrate.js";
import { type Pool, transaction } from "./pool.js";

const BACKOFF = { baseMs: 250, capMs: 5_000 };

/** @throws PlatformError POSTGRES_*, SCHEMA_*: one connection to see that the database is there and is ours. */
export async function requireSchema(pool: Pool): Promise<void> {
  await transaction(pool, (client) => verifySchema(client));
}

/** The same for a process that may be started before its database: waits until it answers. */
export async function waitForSchema(pool: Pool, logger: Logger, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await requireSchema(pool);
    } catch (error) {
      if (!waitingMends(error)) {
        throw error;
      }
      logger.warn({ code: codeOf(error) }, `waiting for PostgreSQL: ${adviceOf(error)}`);
      await pause(fullJitterMs(attempt, BACKOFF), signal);
    }
  }
}
