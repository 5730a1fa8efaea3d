import { MODULES } from "../../app/modules.js";
import { Publisher } from "../../lib/broker/publisher.js";
import { newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import { silentLogger } from "../../lib/observability/log.js";
import type { Queryable } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { walletDebitRequested } from "../../services/contracts/wallet_debit_requested.js";
import { until } from "../process.js";
import type { Stack } from "../stack.js";
import { Fleet } from "./fleet.js";
import { type ProcessorTime, processorClock, timeEach } from "./processor.js";

/** Debits that wait in the queue; the first of them warm the process up. */
const DEBITS = 60_000;
const WARM_UP = 10_000;
const AT_ONCE = 1_000;
const DRAIN_MS = 120_000;

/** Whose wallets are debited: 10,000 customers in turn, or one who holds 1,000,000.00 USD. */
export const WALLET_LOADS = {
  spread: (i: number) => `customer-${1_101 + (i % 10_000)}`,
  hot: () => "customer-1",
} as const;
export type WalletLoad = keyof typeof WALLET_LOADS;

export interface WalletFigures {
  readonly load: WalletLoad;
  readonly debits: number;
  /** By the decisions' own times, after the warm-up. */
  readonly debitsPerS: number;
  /** µs of processor time a debit, warm-up included. */
  readonly cpuUs: ProcessorTime;
  readonly peakMb: number;
}

/** The wallet alone: debits wait in its queue, then its process starts and works them off. */
export async function measureWallet(stack: Stack, load: WalletLoad): Promise<WalletFigures> {
  await publishDebits(stack, WALLET_LOADS[load]);
  return withPool(stack.settings, { role: "admin", applicationName: "payments-bench" }, async (pool) => {
    let pids: readonly number[] = [];
    const clock = await processorClock(stack, () => pids);
    const before = clock();
    return Fleet.with(stack, { processes: [["wallet"]] }, async (fleet) => {
      pids = fleet.pids;
      await until("debits to be decided", async () => (await decided(pool)) === DEBITS, {
        withinMs: DRAIN_MS,
        signal: stack.signal,
      });
      const cpuUs = timeEach(before, clock(), DEBITS);
      const { rows } = await pool.query<{ perS: number }>(
        `SELECT ($1::float8 - $2::int) / extract(epoch FROM max(decided_at) - min(decided_at) FILTER (WHERE place > $2::int))::float8 AS "perS"
         FROM (SELECT decided_at, row_number() OVER (ORDER BY decided_at) AS place FROM wallet.decision) d`,
        [DEBITS, WARM_UP],
      );
      return {
        load,
        debits: DEBITS,
        debitsPerS: Math.round(rows[0]?.perS ?? 0),
        cpuUs,
        peakMb: fleet.peakMb,
      };
    });
  });
}

async function decided(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ decided: number }>("SELECT count(*) AS decided FROM wallet.decision");
  return rows[0]?.decided ?? 0;
}

async function publishDebits(stack: Stack, customerOf: (i: number) => string): Promise<void> {
  const publisher = new Publisher({
    address: stack.settings,
    name: "payments-bench",
    logger: silentLogger,
    connectPolicy: "once",
    families: MODULES.flatMap(({ queues }) => queues),
  });
  await publisher.up();
  try {
    for (let from = 0; from < DEBITS; from += AT_ONCE) {
      const debits = Array.from({ length: AT_ONCE }, (_, k) => ({
        payment_id: newId(),
        user_id: customerOf(from + k),
        amount: "1",
        reason: "payment_processing",
      }));
      await publisher.publishAll(
        debits.map((body) => eventMessage(walletDebitRequested, body, { messageId: newId() })),
      );
    }
  } finally {
    await publisher.close();
  }
}
