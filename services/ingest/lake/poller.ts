import { bulkhead } from "cockatiel";
import { codeOf } from "../../../lib/errors.js";
import type { Logger } from "../../../lib/observability/log.js";
import { createPool, type Pool, transaction } from "../../../lib/postgres/pool.js";
import { addressOfUrl } from "../../../lib/postgres/url.js";
import { verdictOf } from "../../../lib/retry.js";
import { eventOf, type LakeEvent } from "./row.js";
import { type ClaimedRow, claimRows, markRows, type Place } from "./table.js";

/** Rows of a transaction: a crash has so many taken again, which changes nothing. */
const ROWS = 200;
/** Transactions at a time: while one is read or marked, another one is understood. */
export const LANES = 2;

/** A process that was frozen lets go of its rows after that; far above what the intake takes for them, also where it waits for a lock. */
const IDLE = "30s";

export function createLakePool(url: string, applicationName: string): Pool {
  return createPool(addressOfUrl("DATALAKE_DATABASE_URL", url), {
    max: LANES,
    applicationName,
    session: {
      idle_in_transaction_session_timeout: IDLE,
      search_path: "public",
      plan_cache_mode: "force_generic_plan",
    },
  });
}

export interface PollerOptions {
  /** Of the lake's database. */
  readonly pool: Pool;
  readonly intake: { take(events: readonly LakeEvent[]): Promise<unknown> };
  readonly logger: Logger;
  /** Told of rows that were taken and marked, and of those that the intake refused. */
  readonly count?: (outcome: "taken" | "refused", rows: number) => void;
}

export interface Polled {
  readonly taken: number;
  /** Left as they are: the next poll tries them again. */
  readonly refused: number;
}

/**
 * Brings rows of the data lake to the intake, the oldest first, and marks them when its commit is made. Rows are locked meanwhile, so any
 * number of pollers share the work; whoever dies in between leaves rows that the intake knows by their keys when they come again.
 */
export class Poller {
  readonly #options: PollerOptions;
  /** Two looks at a time would share out between them what each would have taken whole. */
  readonly #claims = bulkhead(1, Number.POSITIVE_INFINITY);

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Until no row waits that is free, or `signal` fires. @throws when a server is away; what was marked stays so. */
  async drain(signal: AbortSignal): Promise<Polled> {
    const refused = new Set<string>();
    const lanes = await Promise.allSettled(Array.from({ length: LANES }, () => this.#lane(refused, signal)));
    let taken = 0;
    for (const lane of lanes) {
      if (lane.status === "rejected") {
        throw lane.reason;
      }
      taken += lane.value;
    }
    return { taken, refused: refused.size };
  }

  /** Ends when a look from the oldest row on finds nothing: rows may be older than those that were taken before them. */
  async #lane(refused: Set<string>, signal: AbortSignal): Promise<number> {
    let taken = 0;
    let after: Place = null;
    while (!signal.aborted) {
      const batch = await this.#batch(after, refused);
      taken += batch.taken;
      if (batch.last === undefined && after === null) {
        break;
      }
      after = batch.last ?? null;
    }
    return taken;
  }

  async #batch(after: Place, refused: Set<string>) {
    const batch = await transaction(this.#options.pool, async (tx) => {
      const rows = await this.#claims.execute(() =>
        claimRows(tx, { after, max: ROWS, without: [...refused] }),
      );
      const ids = rows.length === 0 ? [] : await this.#take(rows, refused);
      if (ids.length > 0) {
        await markRows(tx, ids);
      }
      return { taken: ids.length, last: rows.at(-1) };
    });
    this.#options.count?.("taken", batch.taken);
    return batch;
  }

  /** All at once; where that fails by one of them each by itself, so that it does not keep the others. @returns ids of those taken */
  async #take(rows: readonly ClaimedRow[], refused: Set<string>): Promise<string[]> {
    const { intake, logger, count } = this.#options;
    try {
      await intake.take(rows.map(eventOf));
      return rows.map(({ id }) => id);
    } catch (error) {
      const [row] = rows;
      if (verdictOf(error) === "outage" || row === undefined) {
        throw error;
      }
      if (rows.length === 1) {
        refused.add(row.id);
        count?.("refused", 1);
        logger.error({ code: codeOf(error), err: error, row: row.id }, "a row of the data lake is refused");
        return [];
      }
    }
    const ids: string[] = [];
    for (const row of rows) {
      ids.push(...(await this.#take([row], refused)));
    }
    return ids;
  }
}
