import type { EtlSettings } from "../etl/settings.js";
import type { BackupSettings } from "../jobs/settings.js";
import type { Module } from "../lib/runtime/module.js";
import { baseSettings, type Settings } from "../lib/settings/base.js";
import type { SettingsDeclaration } from "../lib/settings/define.js";
import { loadSettings, type SettingsSources } from "../lib/settings/settings.js";
import type { WalletSettings } from "../services/wallet/settings.js";
import { MODULES } from "./modules.js";
import { type StackSettings, stackSettings } from "./stack_settings.js";

/** Every setting there is, by who declares it. */
export function declarationsOf(modules: readonly Module[]): readonly SettingsDeclaration[] {
  return [baseSettings, ...modules.map(({ settings }) => settings), stackSettings];
}

export const DECLARATIONS = declarationsOf(MODULES);

/**
 * The settings of lib and of `own`; what other modules declare is known, and ignored.
 *
 * @throws CoreError SETTINGS_INVALID
 */
export function settingsFor(
  own: readonly SettingsDeclaration[],
  all: readonly SettingsDeclaration[],
  sources: SettingsSources = {},
): Settings {
  const others = all.filter((each) => each !== baseSettings && !own.includes(each));
  return loadSettings([baseSettings, ...own], { ...sources, others }) as Settings;
}

/** For what looks across modules: the bench, tests. */
export interface AllSettings extends EtlSettings, BackupSettings, StackSettings, WalletSettings {}

/** @throws CoreError SETTINGS_INVALID */
export function loadAllSettings(sources: SettingsSources = {}): AllSettings {
  return loadSettings(DECLARATIONS, sources) as unknown as AllSettings;
}
