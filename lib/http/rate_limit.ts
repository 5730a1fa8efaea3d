import { RateLimiterPostgres, RateLimiterRes } from "rate-limiter-flexible";
import { Gatherer } from "../gatherer.js";
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

interface Ask {
  readonly key: string;
  readonly cost: number;
}

/** Requests that come within so many milliseconds are counted at once; those that come while two groups are, in the next one. */
const GROUP = { waitMs: 1, max: 200, atOnce: 2 };

/**
 * So much for each key and window, over all processes: PostgreSQL counts. Windows are fixed, each from its key's first request on: over
 * the edge of two a key may have twice its quota at once. What is refused has used up the window, and until its end this process
 * refuses the key by itself, without asking.
 */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #limiter: RateLimiterPostgres;
  readonly #group: Gatherer<Ask, Draw>;

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
    this.#group = new Gatherer({ ...GROUP, work: (asked) => this.#takeAll(asked) });
  }

  get quota(): number {
    return this.#options.quota;
  }

  /** @param cost at most the quota; more would never be allowed */
  take(key: string, cost: number): Promise<Draw> {
    return this.#group.add({ key, cost });
  }

  /** All that is asked under a key is one change of its row: each alone would wait for the others' turns. */
  async #takeAll(asked: readonly Ask[]): Promise<readonly Draw[]> {
    const draws = new Map<Ask, Draw>();
    for (const key of new Set(asked.map((each) => each.key))) {
      const own = asked.filter((each) => each.key === key);
      const total = own.reduce((sum, { cost }) => sum + cost, 0);
      const together = await this.#take(key, total);
      if (together.allowed || own.length === 1 || !together.counted) {
        for (const each of own) {
          draws.set(each, together);
        }
        continue;
      }
      // Some of it may fit.
      await this.#limiter.reward(key, total);
      this.#limiter.deleteInMemoryBlockedAll();
      for (const each of own) {
        draws.set(each, await this.#take(key, each.cost));
      }
    }
    return asked.map((each) => draws.get(each) as Draw);
  }

  async #take(key: string, cost: number): Promise<Draw & { readonly counted: boolean }> {
    try {
      return { counted: true, ...this.#draw(true, await this.#limiter.consume(key, cost)) };
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) {
        throw refused;
      }
      return { counted: refused.consumedPoints > 0, ...this.#draw(false, refused) };
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
