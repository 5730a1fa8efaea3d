import { Command } from "commander";
import { jobs } from "../jobs/module.js";
import { runProgram } from "../lib/cli/program.js";
import { silentLogger } from "../lib/observability/log.js";
import { actionsOver, commandsOf } from "./cli.js";
import { MODULES } from "./modules.js";
import { SelfWatch } from "./self_watch.js";
import { loadAllSettings } from "./settings.js";

/** The loop runs for as long as a service, and is watched like one. */
function watchLoop(program: Command): void {
  let watch: SelfWatch | undefined;
  program.hook("preAction", async (_, command) => {
    const runsOn = command.name() === "loop" || command.opts()["loop"] === true;
    if (!runsOn) {
      return;
    }
    try {
      const settings = loadAllSettings();
      if (settings.SELF_WATCH === "on") {
        watch = new SelfWatch({ settings, logger: silentLogger, name: "self-backups" });
        await watch.start();
      }
    } catch {
      // The loop itself says what is wrong with its settings.
    }
  });
  program.hook("postAction", () => watch?.stop());
}

export const main = () =>
  runProgram(() => {
    const program = new Command("backups").description("Backups of the payments database, and their proof.");
    for (const command of commandsOf(jobs, actionsOver(MODULES))) {
      program.addCommand(command);
    }
    watchLoop(program);
    return program;
  });
