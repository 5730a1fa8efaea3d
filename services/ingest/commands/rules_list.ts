import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../../lib/cli/command.js";
import { formatCount, formatTable } from "../../../lib/cli/table.js";
import type { Settings } from "../../../lib/settings/base.js";
import { listedRules, ruleSet } from "../domain/rules/index.js";
import { IngestError } from "../errors.js";
import { mappingBodyOf } from "../routes/mapping_body.js";
import { NEEDS_DAYS, needsBodyOf } from "../routes/needs_body.js";
import type { IngestSettings } from "../settings.js";
import { listMappings, needsOf } from "../store/learning.js";
import { tableOf } from "./mappings.js";
import { withLearning } from "./with_learning.js";

type Wrapper = ActionWrapper<Settings & IngestSettings>;

export const listCommand = (action: Wrapper): Command =>
  new Command("list")
    .description("rules, by provider and shape, what was learned, and how much a model is needed still")
    .action(
      action(async (context, _options: object) => {
        const { learned, needs } = await withLearning(context, "list", async (pool) => ({
          learned: await listMappings(pool, ["promoted", "candidate"]),
          needs: needsBodyOf(await needsOf(pool, NEEDS_DAYS)),
        }));
        const { version, digest } = ruleSet();
        const rules = listedRules().map(({ rule, format }) => ({ rule, format }));
        printResult(context, { version, digest, rules, mappings: learned.map(mappingBodyOf), needs }, () =>
          [
            formatTable(
              ["rule", "format"],
              rules.map(({ rule, format }) => [rule, format]),
            ),
            `version ${version}, sha256 ${digest.slice(0, 12)}`,
            `learned:\n${tableOf(learned)}`,
            needsText(needs),
          ].join("\n\n"),
        );
        return undefined;
      }),
    );

function needsText({ days, events, calls, share }: ReturnType<typeof needsBodyOf>): string {
  const parts = Object.entries(share ?? {}).map(([by, part]) => `${by} ${(part * 100).toFixed(1)} %`);
  const all = `last ${days} days: ${formatCount(events)} events, ${formatCount(calls)} calls of the model`;
  return [all, ...parts].join(", ");
}

export const showCommand = (action: Wrapper): Command =>
  new Command("show")
    .argument("<rule>", "as of: payments rules list; `stripe/event`, or a mapping's id or rule")
    .description("a rule or a learned mapping, as the data that it is")
    .action(
      action(async (context, name: string, _options: object) => {
        const rule = listedRules().find((each) => each.rule === name)?.data;
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
