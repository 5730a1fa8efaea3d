import type { Module, Runtime } from "../../lib/runtime/module.js";
import type { Settings } from "../../lib/settings/base.js";
import type { PlatformActions } from "../../services/console/platform_actions.js";
import { withLearning } from "../../services/ingest/commands/with_learning.js";
import { listedRules, ruleSet } from "../../services/ingest/domain/rules/index.js";
import { decide } from "../../services/ingest/learning/decide.js";
import { ingest } from "../../services/ingest/module.js";
import type { IngestSettings } from "../../services/ingest/settings.js";
import { withReports } from "../../services/reports/commands/reports.js";
import { switchVersion } from "../../services/reports/switch_version.js";
import { contextsOf } from "./context.js";
import { letterActions } from "./letters.js";
import { profileActions } from "./profile.js";
import { runActions } from "./runs.js";

/** What the console may do: the same functions as the commands, so that both do the same. */
export function consoleActions(runtime: Runtime, modules: readonly Module[]): PlatformActions {
  const contextOf = contextsOf(runtime, modules);
  return {
    ...runActions(contextOf),
    ...letterActions(contextOf, modules),
    ...profileActions(contextOf, runtime),
    switchReports: ({ version, epoch }, { who, traceId }) =>
      withReports(runtime, async (pool) => {
        const served = await switchVersion(pool, { version, ifEpoch: epoch, by: `console: ${who}`, traceId });
        return { epoch: served.epoch, version: served.version, generation: served.generation };
      }),
    decideMapping: ({ id, decision }, { who, signal }) => {
      const context = contextOf<Settings & IngestSettings>(ingest, signal);
      return withLearning(context, decision, async (pool, learning) => {
        const state = await decide(pool, learning, { id, decision, by: `console: ${who}`.slice(0, 100) });
        await learning.settle();
        return { id, state };
      });
    },
    rules,
  };
}

function rules(): ReturnType<PlatformActions["rules"]> {
  const { version, digest } = ruleSet();
  const items = listedRules().map(({ data, ...each }) => ({ ...each, data: { ...data } }));
  return { version: String(version), digest, items };
}
