import { copyLines } from "../../lib/postgres/copy_lines.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { enterPopulation, lockPopulation } from "../ledger/population.js";
import {
  ACCOUNT_COLUMNS,
  accountLines,
  MERCHANT_COLUMNS,
  merchantLines,
  TERMINAL_COLUMNS,
  terminalLines,
} from "./rows.js";
import { requireSeed, seedState } from "./state.js";

/**
 * Fills the dimensions, all or nothing.
 *
 * @returns false when they were there already; nothing is changed then.
 * @throws PlatformError NOT_SEEDED when they were seeded with other contents.
 */
export async function seed(pool: Pool): Promise<boolean> {
  return transaction(pool, async (client) => {
    await lockPopulation(client);
    if ((await seedState(client)) !== "absent") {
      await requireSeed(client);
      return false;
    }
    await copyLines(client, `payments.account (${ACCOUNT_COLUMNS})`, accountLines());
    await copyLines(client, `payments.merchant (${MERCHANT_COLUMNS})`, merchantLines());
    await copyLines(client, `payments.terminal (${TERMINAL_COLUMNS})`, terminalLines());
    await enterPopulation(client);
    return true;
  });
}
