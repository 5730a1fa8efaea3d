import { RateLimiterPostgres, RateLimiterRes } from "rate-limiter-flexible";
import type { Pool } from "../postgres/pool.js";

export interface RateLimitOptions {
  readonly pool: Pool;
  /** In the schema of the pool; as npm rate-limiter-flexible makes it, but `expire` is a double precision. */
  readonly table: string;
  /** Of the policy, in its headers. */
  readonly name: string;
  /** What a key may have in a window. */
  readonly quota: number;
  readonly windowS: number;
}

/** What came of asking for something. */
export interface Draw {
  readonly allowed: boolean;
  /** RateLimit and RateLimit-Policy (draft of September 2025); Retry-After when it was refused. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * So much for each key and window, over all processes: PostgreSQL counts. Windows are fixed, each from its key's first request on: over
 * the edge of two a key may have twice its quota at once. What is refused has used up the window, and until its end this process
 * refuses the key by itself, without asking.
 */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #limiter: RateLimiterPostgres;

  constructor(options: RateLimitOptions) {
    const { pool, table, quota, windowS } = options;
    this.#options = options;
    this.#limiter = new RateLimiterPostgres({
      storeClient: pool,
      storeType: "pool",
      tableName: table,
      tableCreated: true,
      keyPrefix: "",
      points: quota,
      duration: windowS,
      inMemoryBlockOnConsumed: quota,
    });
  }

  /** @param cost at most the quota; more would never be allowed */
  async take(key: string, cost: number): Promise<Draw> {
    try {
      return this.#draw(true, await this.#limiter.consume(key, cost));
    } catch (refused) {
      if (refused instanceof RateLimiterRes) {
        return this.#draw(false, refused);
      }
      throw refused;
    }
  }

  #draw(allowed: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes): Draw {
    const { name, quota, windowS } = this.#options;
    const left = allowed ? remainingPoints : 0;
    const seconds = Math.ceil(msBeforeNext / 1_000);
    return {
      allowed,
      headers: {
        "ratelimit-policy": `"${name}";q=${quota};w=${windowS}`,
        ratelimit: `"${name}";r=${left};t=${seconds}`,
        ...(allowed ? {} : { "retry-after": String(Math.max(1, seconds)) }),
      },
    };
  }
}
