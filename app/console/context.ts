import type { CommandContext } from "../../lib/cli/command.js";
import type { Module, Runtime } from "../../lib/runtime/module.js";
import type { Settings } from "../../lib/settings/base.js";
import { loadSettings } from "../../lib/settings/settings.js";
import { declarationsOf } from "../declarations.js";

/** What a command would get here: its module's settings beside those of this process. */
export type ContextOf = <S extends Settings>(module: Module, signal?: AbortSignal) => CommandContext<S>;

/** @param all modules that there are: what they declare is known, and looked at by their own commands alone */
export const contextsOf =
  ({ settings, logger }: Runtime, all: readonly Module[]): ContextOf =>
  <S extends Settings>(module: Module, signal = new AbortController().signal) => {
    const others = declarationsOf(all).filter((each) => each !== module.settings);
    const own = loadSettings([module.settings], { others }) as object;
    return {
      settings: { ...own, ...settings } as unknown as S,
      logger,
      json: true,
      modules: [module],
      interruption: () => signal,
    };
  };
