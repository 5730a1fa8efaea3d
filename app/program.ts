import { Command } from "commander";
import { runProgram } from "../lib/cli/program.js";
import { CoreError } from "../lib/core_errors.js";
import { packageVersion } from "../lib/root.js";
import type { Module } from "../lib/runtime/module.js";
import { actionsOver, commandsOf } from "./cli.js";
import { auditCommand } from "./commands/audit.js";
import { dlqCommand } from "./commands/dlq.js";
import { doctorCommand } from "./commands/doctor.js";
import { eraseCommand } from "./commands/erase.js";
import { migrateCommand } from "./commands/migrate.js";
import { monitorCommand } from "./commands/monitor.js";
import { serveCommand, workerCommand } from "./commands/serve.js";
import { MODULES } from "./modules.js";
import { auditSettings } from "./settings.js";

export const main = () => runProgram(() => paymentsProgram(MODULES));

/** The command line `payments` of a list of modules. @throws CoreError MODULE_INVALID for a command that two of them want. */
export function paymentsProgram(modules: readonly Module[]): Command {
  const program = new Command("payments")
    .description("Fills a partitioned PostgreSQL with card payments that arrive through RabbitMQ.")
    .version(packageVersion(), "--version")
    .addHelpText(
      "after",
      "\nExit status: 0 ok, 1 failed, 2 usage, 3 verification mismatch, 130 interrupted.",
    );
  const actions = actionsOver(modules);
  for (const command of [
    migrateCommand(actions()),
    ...modules
      .filter(({ program: own }) => own === undefined)
      .flatMap((module) => commandsOf(module, actions)),
    serveCommand(modules, actions),
    workerCommand(modules, actions),
    auditCommand(
      actions({ settings: () => [...modules.map(({ settings }) => settings), auditSettings] }),
      modules,
    ),
    monitorCommand(actions({ settings: () => [auditSettings] })),
    eraseCommand(actions(), modules),
    dlqCommand(actions(), modules),
    doctorCommand(actions(), modules),
  ]) {
    if (program.commands.some((other) => other.name() === command.name())) {
      throw new CoreError("MODULE_INVALID", `two modules want the command ${command.name()}.`);
    }
    program.addCommand(command);
  }
  return program;
}
