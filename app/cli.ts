import type { Command } from "commander";
import { type ActionWrapper, actionWrapper } from "../lib/cli/command.js";
import type { Module } from "../lib/runtime/module.js";
import { type SettingsDeclaration, secretNames } from "../lib/settings/define.js";
import { DECLARATIONS, settingsFor } from "./settings.js";

/** The wrapper of actions that read lib's settings and, by a command's arguments, those of modules. */
export function actionsWith(
  own: (args: readonly unknown[]) => readonly SettingsDeclaration[],
): ActionWrapper {
  return actionWrapper((args) => settingsFor(own(args)), secretNames(DECLARATIONS));
}

export function commandsOf(module: Module): Command[] {
  const action = actionsWith(() => [module.settings]);
  return module.commands.map((make) => make(action));
}
