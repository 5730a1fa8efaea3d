import type { Command } from "commander";
import { type ActionWrapper, actionWrapper } from "../lib/cli/command.js";
import { type Module, requireUnambiguous } from "../lib/runtime/module.js";
import { type SettingsDeclaration, secretNames } from "../lib/settings/define.js";
import { declarationsOf, settingsFor } from "./settings.js";

/** Makes the wrapper of actions that read lib's settings and, by a command's arguments, those of modules. */
export type Actions = (own?: (args: readonly unknown[]) => readonly SettingsDeclaration[]) => ActionWrapper;

/** No action runs while the list breaks a rule: MODULE_INVALID. */
export function actionsOver(modules: readonly Module[]): Actions {
  const all = declarationsOf(modules);
  return (own = () => []) =>
    actionWrapper((args) => {
      requireUnambiguous(modules);
      return settingsFor(own(args), all);
    }, secretNames(all));
}

export function commandsOf(module: Module, actions: Actions): Command[] {
  const action = actions(() => [module.settings]);
  return module.commands.map((make) => make(action));
}
