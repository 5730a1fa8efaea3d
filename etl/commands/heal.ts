import { Command } from "commander";
import { type ActionWrapper, type CommandContext, withDatabase } from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import { ChunkSource } from "../generate/source.js";
import { type Rebuilt, rebuildMonth } from "../runs/rebuild.js";
import type { EtlSettings } from "../settings.js";
import { firstDayOf } from "./month.js";
import { show } from "./show.js";

export function healCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("heal")
    .description("rebuild a damaged month from its runs' specs and put it in place while readers go on")
    .argument("<month>", "YYYY-MM")
    .action(
      action(async (context, month: string, _options: object) => {
        const rebuilt = await healMonth(context, month);
        const { rows, runs, refilled } = rebuilt;
        const lines = [
          `${month}: ${formatCount(rows)} rows of ${runs.join(", ")} rebuilt; payments verify proves it`,
        ];
        if (refilled.length > 0) {
          lines.push(
            `added columns whose default is another each time were filled anew: ${refilled.join(", ")}`,
          );
        }
        return show(context, rebuilt, lines.join("\n"));
      }),
    );
}

/** @param month `YYYY-MM` @throws PlatformError USAGE_INVALID, and what rebuildMonth throws */
export async function healMonth(context: CommandContext, month: string): Promise<Rebuilt> {
  const firstDay = firstDayOf(month);
  const source = new ChunkSource();
  try {
    return await withDatabase(context, (pool) =>
      rebuildMonth({ pool, source, logger: context.logger }, firstDay),
    );
  } finally {
    await source.close();
  }
}
