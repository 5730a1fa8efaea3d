import type { Command } from "commander";
import { type ActionWrapper, actionWrapper } from "../lib/cli/command.js";
import { type Module, requireUnambiguous } from "../lib/runtime/module.js";
import { baseSettings, type Settings } from "../lib/settings/base.js";
import { type SettingsDeclaration, secretNames } from "../lib/settings/define.js";
import { loadSettings } from "../lib/settings/settings.js";
import { declarationsOf } from "./declarations.js";

/** What an action reads: the settings that modules declare, by its arguments, and the schema of some of them. */
export interface ActionNeeds {
  readonly settings?: (args: readonly unknown[]) => readonly SettingsDeclaration[];
  /** All when left out. */
  readonly modules?: readonly Module[];
}

/** Makes the wrapper of actions that read lib's settings and what they need besides. */
export type Actions = (needs?: ActionNeeds) => ActionWrapper;

/** What other modules declare is known, and ignored. No action runs while the list breaks a rule: MODULE_INVALID. */
export function actionsOver(modules: readonly Module[]): Actions {
  const all = declarationsOf(modules);
  return ({ settings = () => [], modules: needed = modules } = {}) => {
    const load = (args: readonly unknown[]) => {
      requireUnambiguous(modules);
      const own = [baseSettings, ...settings(args)];
      return loadSettings(own, { others: all.filter((each) => !own.includes(each)) }) as Settings;
    };
    return actionWrapper(load, secretNames(all), needed);
  };
}

export function commandsOf(module: Module, actions: Actions): Command[] {
  const action = actions({ settings: () => [module.settings], modules: [module] });
  return module.commands.map((make) => make(action));
}
