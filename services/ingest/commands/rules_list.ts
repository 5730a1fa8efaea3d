import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../../lib/cli/command.js";
import { formatTable } from "../../../lib/cli/table.js";
import type { Settings } from "../../../lib/settings/base.js";
import { RULE_SET } from "../domain/rules/index.js";
import { IngestError } from "../errors.js";
import { mappingBodyOf } from "../routes/mapping_body.js";
import type { IngestSettings } from "../settings.js";
import { listMappings } from "../store/learning.js";
import { tableOf } from "./mappings.js";
import { withLearning } from "./with_learning.js";

type Wrapper = ActionWrapper<Settings & IngestSettings>;

const RULES = RULE_SET.providers.flatMap(({ provider, rules }) =>
  rules.map((rule) => ({ rule: `${provider}/${rule.name}`, format: rule.format ?? "json", data: rule })),
);

export const listCommand = (action: Wrapper): Command =>
  new Command("list").description("rules, by provider and shape, and what was learned").action(
    action(async (context, _options: object) => {
      const learned = await withLearning(context, "list", (pool) =>
        listMappings(pool, ["promoted", "candidate"]),
      );
      const { version, digest } = RULE_SET;
      const rules = RULES.map(({ rule, format }) => ({ rule, format }));
      printResult(context, { version, digest, rules, mappings: learned.map(mappingBodyOf) }, () =>
        [
          formatTable(
            ["rule", "format"],
            rules.map(({ rule, format }) => [rule, format]),
          ),
          `version ${version}, sha256 ${digest.slice(0, 12)}`,
          `learned:\n${tableOf(learned)}`,
        ].join("\n\n"),
      );
      return undefined;
    }),
  );

export const showCommand = (action: Wrapper): Command =>
  new Command("show")
    .argument("<rule>", "as of: payments rules list; `stripe/charge`, or a mapping's id or rule")
    .description("a rule or a learned mapping, as the data that it is")
    .action(
      action(async (context, name: string, _options: object) => {
        const rule = RULES.find((each) => each.rule === name)?.data;
        const shown =
          rule ??
          (await withLearning(context, "show", async (pool) =>
            (
              await listMappings(pool)
            )
              .map(mappingBodyOf)
              .find((each) => each.id === name || each.rule === name),
          ));
        if (shown === undefined) {
          throw new IngestError("MAPPING_UNKNOWN", `there is no rule and no mapping ${name}.`);
        }
        printResult(context, shown, () => JSON.stringify(shown, undefined, 2));
        return undefined;
      }),
    );
