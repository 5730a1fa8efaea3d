import type { Settings } from "../settings/base.js";
import { type Address, connect, createPool, type Pool, type PoolOptions } from "./pool.js";

/**
 * Runs `work` with a pool, of one connection unless told otherwise, which is closed in any case.
 *
 * @throws PlatformError POSTGRES_* before any work when there is no connection, saying where it was tried and as whom.
 */
export async function withPool<T>(
  at: Settings | Address,
  options: PoolOptions,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const pool = createPool(at, { max: 1, ...options });
  try {
    (await connect(pool)).release();
    return await work(pool);
  } finally {
    await pool.end();
  }
}
