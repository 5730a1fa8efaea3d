#!/usr/bin/env node
import { Command } from "commander";
import { runProgram } from "../lib/cli/program.js";
import { packageVersion } from "../lib/root.js";
import { actionsWith, commandsOf } from "./cli.js";
import { dlqCommand } from "./commands/dlq.js";
import { doctorCommand } from "./commands/doctor.js";
import { migrateCommand } from "./commands/migrate.js";
import { serveCommand, workerCommand } from "./commands/serve.js";
import { MODULES } from "./modules.js";

const program = new Command("payments")
  .description("Fills a partitioned PostgreSQL with card payments that arrive through RabbitMQ.")
  .version(packageVersion(), "--version")
  .addHelpText("after", "\nExit status: 0 ok, 1 failed, 2 usage, 3 verification mismatch, 130 interrupted.");
const action = actionsWith(() => []);
for (const command of [
  migrateCommand(action),
  ...MODULES.filter(({ program: own }) => own === undefined).flatMap(commandsOf),
  serveCommand(),
  workerCommand(),
  dlqCommand(action),
  doctorCommand(action),
]) {
  program.addCommand(command);
}
await runProgram(program);
