import { Command } from "commander";
import { type ActionWrapper, print, printJson, withDatabase } from "../../../../lib/cli/command.js";
import { formatTable } from "../../../../lib/cli/table.js";
import { countTickets } from "../store/ticket.js";

export function ticketsCommand(action: ActionWrapper): Command {
  return new Command("tickets").description("how many tickets there are of each priority").action(
    action(async (context, _options: object) => {
      const counts = await withDatabase(context, countTickets);
      if (context.json) {
        printJson(counts);
      } else {
        print(formatTable(["priority", "tickets"], Object.entries(counts)));
      }
      return undefined;
    }),
  );
}
