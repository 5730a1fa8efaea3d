import { Command } from "commander";
import { type ActionWrapper, withDatabase } from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import type { EtlSettings } from "../settings.js";
import { POPULATION } from "../world/world.js";
import { show } from "./show.js";

export function seedCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("seed")
    .description("make the accounts, merchants and terminals, unless they are there")
    .action(
      action(async (context, _options: object) => {
        // Here, because the names in fourteen languages are no other command's.
        const { seed } = await import("../seed/seed.js");
        const seeded = await withDatabase(context, seed);
        const { accounts, merchants, terminals } = POPULATION;
        const what = `${formatCount(accounts)} accounts, ${formatCount(merchants)} merchants, ${formatCount(terminals)} terminals`;
        const text = `${what} ${seeded ? "made" : "were there already"}`;
        return show(context, { seeded, accounts, merchants, terminals }, text);
      }),
    );
}
