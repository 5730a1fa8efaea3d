import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../../lib/cli/command.js";
import { formatCount } from "../../../lib/cli/table.js";
import { EXIT } from "../../../lib/errors.js";
import { packageRoot } from "../../../lib/root.js";
import type { Settings } from "../../../lib/settings/base.js";
import { differencesOf, examplesIn } from "../domain/examples.js";
import type { IngestSettings } from "../settings.js";

const EXAMPLES = join(packageRoot, "tests", "fixtures", "provider_events");
/** Orders of arrival, which are no examples of single events. */
const SEQUENCES = "sequences.jsonl";

export const testCommand = (action: ActionWrapper<Settings & IngestSettings>): Command =>
  new Command("test")
    .argument("[files...]", "examples, a JSON text a line; without them those of the platform")
    .description("have the rules read examples, and compare")
    .action(
      action(async (context, files: readonly string[], _options: object) => {
        const read = files.length > 0 ? files : await ownFiles();
        const examples = (await Promise.all(read.map((file) => readFile(file, "utf8")))).flatMap(examplesIn);
        const failed = examples.flatMap((example) => {
          const differences = differencesOf(example);
          return differences.length === 0 ? [] : [{ id: example.id, differences }];
        });
        const passed = examples.length - failed.length;
        printResult(context, { examples: examples.length, passed, failed }, () =>
          [
            ...failed.map(({ id, differences }) => `${id}: ${differences.join("; ")}`),
            `${formatCount(passed)} of ${formatCount(examples.length)} examples pass`,
          ].join("\n"),
        );
        return failed.length === 0 ? undefined : EXIT.failed;
      }),
    );

async function ownFiles(): Promise<readonly string[]> {
  const names = await readdir(EXAMPLES);
  return names
    .filter((name) => name.endsWith(".jsonl") && !name.endsWith(SEQUENCES))
    .map((name) => join(EXAMPLES, name));
}
