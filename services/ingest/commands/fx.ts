import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../../lib/cli/command.js";
import { formatCount } from "../../../lib/cli/table.js";
import { readRates } from "../rates.js";
import { enterRates } from "../store/fx_rate.js";
import { withIngestPool } from "./with_ingest_pool.js";

export function fxCommand(action: ActionWrapper): Command {
  const fx = new Command("fx").description("what currencies are worth in USD");
  fx.command("load <file>")
    .description(
      "load rates from a CSV with the columns currency, day, usd (for one unit) and source; one that is there already is replaced. " +
        "Events that came before take them with: payments rules apply",
    )
    .action(
      action(async (context, file: string, _options: object) => {
        const rates = readRates(await readFile(file, "utf8"));
        await withIngestPool(context.settings, "payments fx load", (pool) => enterRates(pool, rates));
        const currencies = new Set(rates.map(({ currency }) => currency)).size;
        printResult(
          context,
          { rates: rates.length, currencies },
          () => `${formatCount(rates.length)} rates of ${currencies} currencies loaded`,
        );
        return undefined;
      }),
    );
  return fx;
}
