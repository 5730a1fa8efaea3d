import { Command } from "commander";
import { type ActionWrapper, print, printJson } from "../../../lib/cli/command.js";
import { formatCount } from "../../../lib/cli/table.js";
import { transaction } from "../../../lib/postgres/pool.js";
import { createServicePool } from "../../../lib/postgres/service_pool.js";
import { seedWallets } from "../store/seeding.js";

export function walletsCommand(action: ActionWrapper): Command {
  const wallets = new Command("wallets").description("the wallets of wallet-service");
  wallets
    .command("seed")
    .description("give each account that has none its wallet; may be called again after payments seed")
    .action(
      action(async ({ settings, json }, _options: object) => {
        const pool = createServicePool(settings, {
          role: "payments_wallet",
          schema: "wallet",
          max: 1,
          applicationName: "payments wallets seed",
          bulk: true,
        });
        try {
          const made = await transaction(pool, seedWallets);
          const total = made.reduce((sum, { wallets: count }) => sum + count, 0);
          if (json) {
            printJson({ wallets: total, currencies: made });
          } else {
            print(`${formatCount(total)} wallets made in ${made.length} currencies`);
          }
        } finally {
          await pool.end();
        }
        return undefined;
      }),
    );
  return wallets;
}
