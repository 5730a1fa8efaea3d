import { Command } from "commander";
import { type ActionWrapper, print, printJson, withDatabase } from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import { EtlError } from "../errors.js";
import { ChunkSource } from "../generate/source.js";
import { healMonth } from "../runs/rebuild.js";
import type { EtlSettings } from "../settings.js";

export function healCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("heal")
    .description("make a damaged month anew from its runs' specs and put it in place while readers go on")
    .argument("<month>", "YYYY-MM")
    .action(
      action(async ({ settings, logger, json }, month: string, _options: object) => {
        if (!/^[0-9]{4}-(0[1-9]|1[0-2])$/.test(month)) {
          throw new EtlError("SPEC_INVALID", `'${month}' is no month; give it as YYYY-MM.`);
        }
        const source = new ChunkSource();
        try {
          const healed = await withDatabase(settings, (pool) =>
            healMonth({ pool, source, logger, worker: "payments-heal" }, `${month}-01`),
          );
          if (json) {
            printJson(healed);
          } else {
            print(
              `${month}: ${formatCount(healed.rows)} rows of ${healed.runs.join(", ")} made anew; payments verify proves it`,
            );
          }
        } finally {
          await source.close();
        }
        return undefined;
      }),
    );
}
