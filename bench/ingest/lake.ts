import { setTimeout as sleep } from "node:timers/promises";
import { one } from "../../lib/postgres/one.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { auditOf } from "../audit.js";
import { MAIN, PlatformProcess } from "../platform_process.js";
import { run } from "../process.js";
import type { Stack } from "../stack.js";

export interface LakeOptions {
  readonly rows: number;
  readonly seed: number;
  /** One of the two pollers is killed in turn, so many seconds apart; 0: none is. */
  readonly killEvery: number;
}

export interface LakeFigures extends LakeOptions {
  readonly fillS: number;
  readonly seconds: number;
  readonly rowsPerS: number;
  readonly kills: number;
  /** Rows that are not marked, and rows that no event was found for. */
  readonly unmarked: number;
  readonly differences: readonly string[];
}

const POLLERS = 2;
const LOOK_MS = 50;

/** Fills a lake and has two pollers bring all of it to ingest, which `payments audit --traffic` then looks through. */
export function measureLake(stack: Stack, options: LakeOptions): Promise<LakeFigures> {
  const { rows, seed } = options;
  return stack.withLake(async ({ name, url }) => {
    const command = [MAIN, "traffic", "--json", "--lake", rows, "--seed", seed, "--lake-database", name].map(
      String,
    );
    const stdout = await run([process.execPath, ...command], { env: stack.settings, signal: stack.signal });
    const { traffic, seconds: fillS } = JSON.parse(stdout) as { traffic: number; seconds: number };
    return withPool(stack.settings, { role: "admin", database: name }, async (pool) => {
      // As autovacuum has it after a minute.
      await pool.query("SET ROLE payments_owner");
      await pool.query("VACUUM (ANALYZE) raw_transactions");
      await stack.checkpoint();
      const { seconds, kills } = await pollAll(stack, { pool, url, killEvery: options.killEvery });
      const unmarked = await waiting(pool);
      const differences = await auditOf(stack, traffic);
      return {
        ...options,
        fillS,
        seconds,
        rowsPerS: Math.round(rows / seconds),
        kills,
        unmarked,
        differences,
      };
    });
  });
}

interface Lake {
  readonly pool: Pool;
  readonly url: string;
  readonly killEvery: number;
}

/** @throws BenchError BENCH_FAILED unless each ends because it finds no row any more; those that are killed here aside */
async function pollAll(stack: Stack, { pool, url, killEvery }: Lake) {
  const start = () =>
    PlatformProcess.start({
      args: ["lake-poll", "--once"],
      env: { ...stack.settings, DATALAKE_DATABASE_URL: url },
      isReady: () => true,
      signal: stack.signal,
    });
  const startedMs = performance.now();
  const pollers = await Promise.all(Array.from({ length: POLLERS }, start));
  let kills = 0;
  let dueMs = killEvery > 0 ? killEvery * 1_000 : Number.POSITIVE_INFINITY;
  try {
    // The table is asked only before a kill: to look in it for rows that wait costs more, the more are marked. Four times a second
    // took a fifth of the pace at 1,000,000 rows.
    while (!pollers.every((each) => each.ended)) {
      await sleep(LOOK_MS, undefined, { signal: stack.signal });
      if (performance.now() - startedMs > dueMs) {
        dueMs += killEvery * 1_000;
        const rowsWait = (await waiting(pool)) > 0;
        const inTurn = [...pollers.keys()].map((i) => (i + kills) % POLLERS);
        const turn = inTurn.find((i) => pollers[i]?.ended === false);
        if (rowsWait && turn !== undefined) {
          await pollers[turn]?.kill();
          pollers[turn] = await start();
          kills += 1;
        }
      }
    }
    for (const poller of pollers) {
      poller.mustHaveSucceeded();
    }
    return { seconds: (performance.now() - startedMs) / 1_000, kills };
  } finally {
    await Promise.all(pollers.map((each) => each.stop()));
  }
}

async function waiting(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ waiting: number }>(
    "SELECT count(*) AS waiting FROM raw_transactions WHERE NOT processed",
  );
  return one(rows).waiting;
}
