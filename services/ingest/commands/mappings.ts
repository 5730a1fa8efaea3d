import { userInfo } from "node:os";
import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../../lib/cli/command.js";
import { formatTable } from "../../../lib/cli/table.js";
import type { Settings } from "../../../lib/settings/base.js";
import { decide } from "../learning/decide.js";
import { mappingBodyOf } from "../routes/mapping_body.js";
import type { IngestSettings } from "../settings.js";
import { type ListedMapping, listMappings } from "../store/learning.js";
import { withLearning } from "./with_learning.js";

type Wrapper = ActionWrapper<Settings & IngestSettings>;

export const pendingCommand = (action: Wrapper): Command =>
  new Command("pending").description("mappings that a model gave and that are no rules yet").action(
    action(async (context, _options: object) => {
      const found = await withLearning(context, "pending", (pool) => listMappings(pool, ["candidate"]));
      printResult(context, { mappings: found.map(mappingBodyOf) }, () => tableOf(found));
      return undefined;
    }),
  );

export const decideCommand = (action: Wrapper, decision: "accept" | "reject"): Command =>
  new Command(decision)
    .argument("<id>", "of the mapping, as of: payments rules pending")
    .description(
      decision === "accept"
        ? "make a mapping a rule"
        : "take a mapping back for good, a rule too, and have the events that it read read anew",
    )
    .action(
      action(async (context, id: string, _options: object) => {
        const { username: by } = userInfo();
        const state = await withLearning(context, decision, async (pool, learning) => {
          const decided = await decide(pool, learning, { id, decision, by });
          await learning.settle();
          return decided;
        });
        printResult(context, { id, state }, () => `mapping ${id} is ${state}`);
        return undefined;
      }),
    );

export const tableOf = (mappings: readonly ListedMapping[]): string =>
  mappings.length === 0
    ? "none"
    : formatTable(
        ["mapping", "provider, source, format", "state", "calls", "events", "waits for"],
        mappings.map(({ id, family, state, votes, events, waitsFor }) => [
          id,
          family,
          state,
          votes,
          events,
          waitsFor ?? "",
        ]),
      );
