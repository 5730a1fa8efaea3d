import { Command } from "commander";
import { EXIT } from "../../lib/errors.js";
import type { Module } from "../../lib/runtime/module.js";
import type { Actions } from "../cli.js";
import { chooseModules, serve } from "../serve.js";

export function serveCommand(modules: readonly Module[], actions: Actions): Command {
  const chosen = (names: unknown) => chooseModules(names as string[], modules);
  const action = actions({ settings: ([names]) => chosen(names).map(({ settings }) => settings) });
  return new Command("serve")
    .description("run modules in one process until SIGTERM; without names all services")
    .argument("[modules...]", "e.g. etl")
    .action(
      action(async ({ settings, logger, interruption }, names: string[], _options: object) => {
        await serve({ modules: chosen(names), all: modules, settings, logger, signal: interruption() });
        return EXIT.ok;
      }),
    );
}

export function workerCommand(modules: readonly Module[], actions: Actions): Command {
  const etl = modules.filter(({ name }) => name === "etl");
  const action = actions({ settings: () => etl.map(({ settings }) => settings) });
  return new Command("worker")
    .description("take messages and run their steps until SIGTERM, which lets the steps under way finish")
    .action(
      action(async ({ settings, logger, interruption }, _options: object) => {
        await serve({ modules: etl, all: modules, settings, logger, signal: interruption() });
        return EXIT.ok;
      }),
    );
}
