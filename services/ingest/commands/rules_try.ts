import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../../lib/cli/command.js";
import type { Settings } from "../../../lib/settings/base.js";
import { maskBody } from "../domain/mask.js";
import { normaliseBody } from "../domain/normalise.js";
import { triedBodyOf } from "../routes/tried_body.js";
import type { IngestSettings } from "../settings.js";
import { withLearning } from "./with_learning.js";

interface Options {
  readonly provider?: string;
  readonly learned?: boolean;
}

/** Without `--learned` it needs no server. */
export const tryCommand = (action: ActionWrapper<Settings & IngestSettings>): Command =>
  new Command("try")
    .argument("<file>", "with a body as a provider sends it: JSON, XML, CSV, a form")
    .option("--provider <name>", "whose it is, as a request would say")
    .option("--learned", "by learned mappings too, as they are in the database")
    .description("what a body would come to; nothing is stored and no model asked")
    .action(
      action(async (context, file: string, { provider: hint, learned }: Options) => {
        const raw = maskBody({ text: await readFile(file, "utf8") });
        const events = learned
          ? await withLearning(context, "try", async (_, { known }) =>
              (await known.normalise([{ raw, hint, source: "api", receivedAt: new Date() }])).flat(),
            )
          : normaliseBody(raw, { hint });
        const tried = events.map(triedBodyOf);
        printResult(context, { events: tried }, () => JSON.stringify(tried, undefined, 2));
        return undefined;
      }),
    );
