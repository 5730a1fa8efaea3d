import { withPool } from "../../lib/postgres/with_pool.js";
import { MAIN } from "../platform_process.js";
import { run, until } from "../process.js";
import type { Stack } from "../stack.js";
import type { Fleet } from "./fleet.js";
import { type ProcessorTime, processorClock, timeEach } from "./processor.js";

export interface Load {
  readonly ratePerMin: number;
  readonly seconds: number;
  readonly seed: number;
}

/** One measurement of a fleet under load. */
export interface PaymentFigures extends Load {
  /** For `payments audit --traffic`. */
  readonly traffic: number;
  readonly sent: number;
  readonly created: number;
  readonly failures: Readonly<Record<string, number>>;
  /** From the moment at which a request was to be sent to its answer. */
  readonly postMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  /** From a payment's row to its decision, by the database's clock. */
  readonly settledMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Not decided when waiting for it ended. */
  readonly pending: number;
  /** From the last answer to the last decision. */
  readonly drainedS: number;
  /** µs of processor time a payment. */
  readonly cpuUs: ProcessorTime & { readonly generator: number };
  /** How late the generator was at most. */
  readonly lateMs: number;
  readonly peakMb: number;
}

/** What `payments traffic --json` says, as far as it is read here. */
interface TrafficResult {
  readonly traffic: number;
  readonly sent: number;
  readonly created: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly latencyMs: PaymentFigures["postMs"];
  readonly lateMs: number;
  readonly cpuUsPerRequest: number;
}

/** What has not settled by then is a backlog that the rate cannot bear. */
const SETTLE_MS = 30_000;

/** Runs traffic against a fleet, waits until all is decided, and says what it took. */
export async function measureLoad(stack: Stack, fleet: Fleet, load: Load): Promise<PaymentFigures> {
  const clock = await processorClock(stack, () => fleet.pids);
  return withPool(stack.settings, { role: "admin", applicationName: "payments-bench" }, async (pool) => {
    const { rows: start } = await pool.query<{ at: string }>("SELECT now()::text AS at");
    const since = start[0]?.at;
    const before = clock();
    const traffic = await runTraffic(stack, fleet, load);
    const answeredMs = performance.now();
    const pending = async () => {
      fleet.mustLive();
      const { rows } = await pool.query<{ pending: number }>(
        "SELECT count(*) AS pending FROM saga.payment WHERE state = 'PENDING'",
      );
      return rows[0]?.pending ?? 0;
    };
    await until("payments to settle", async () => (await pending()) === 0, {
      withinMs: SETTLE_MS,
      signal: stack.signal,
    }).catch(() => stack.signal.throwIfAborted());
    const drainedS = (performance.now() - answeredMs) / 1_000;
    const after = clock();
    const { rows } = await pool.query<{ settled: number[] | null }>(
      `SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM updated_at - created_at) * 1000)::float8[] AS settled
       FROM saga.payment WHERE created_at >= $1 AND state <> 'PENDING'`,
      [since],
    );
    const [p50 = Number.NaN, p95 = Number.NaN, p99 = Number.NaN] = rows[0]?.settled ?? [];
    return {
      ...load,
      traffic: traffic.traffic,
      sent: traffic.sent,
      created: traffic.created,
      failures: traffic.failures,
      postMs: traffic.latencyMs,
      settledMs: { p50, p95, p99 },
      pending: await pending(),
      drainedS,
      cpuUs: { ...timeEach(before, after, traffic.created), generator: traffic.cpuUsPerRequest },
      lateMs: traffic.lateMs,
      peakMb: fleet.peakMb,
    };
  });
}

async function runTraffic(stack: Stack, fleet: Fleet, load: Load): Promise<TrafficResult> {
  const options = {
    rate: `${load.ratePerMin}/min`,
    seconds: load.seconds,
    seed: load.seed,
    url: fleet.urlOf("payments"),
    "wallets-url": fleet.urlOf("wallet"),
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const stdout = await run([process.execPath, MAIN, "traffic", "--json", ...flags], {
    env: stack.settings,
    signal: stack.signal,
  });
  return JSON.parse(stdout) as TrafficResult;
}
