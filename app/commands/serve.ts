import { Command } from "commander";
import { EXIT } from "../../lib/errors.js";
import { actionsWith } from "../cli.js";
import { chooseModules, serve } from "../serve.js";

export function serveCommand(): Command {
  const action = actionsWith(([names]) => settingsOf(names as string[]));
  return new Command("serve")
    .description("run modules in one process until SIGTERM; without names all services")
    .argument("[modules...]", "e.g. etl")
    .action(
      action(async ({ settings, logger, interruption }, names: string[], _options: object) => {
        await serve(chooseModules(names), settings, logger, interruption());
        return EXIT.ok;
      }),
    );
}

export function workerCommand(): Command {
  const action = actionsWith(() => settingsOf(["etl"]));
  return new Command("worker")
    .description("take messages and run their steps until SIGTERM, which lets the steps under way finish")
    .action(
      action(async ({ settings, logger, interruption }, _options: object) => {
        await serve(chooseModules(["etl"]), settings, logger, interruption());
        return EXIT.ok;
      }),
    );
}

const settingsOf = (names: readonly string[]) => chooseModules(names).map(({ settings }) => settings);
