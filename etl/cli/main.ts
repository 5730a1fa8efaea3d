#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { EXIT } from "../../lib/errors.js";
import { packageVersion } from "../../lib/root.js";
import { cancelCommand } from "./cancel.js";
import { dlqCommand } from "./dlq.js";
import { doctorCommand } from "./doctor.js";
import { healCommand } from "./heal.js";
import { kickoffCommand } from "./kickoff.js";
import { migrateCommand } from "./migrate.js";
import { resumeCommand } from "./resume.js";
import { seedCommand } from "./seed.js";
import { statusCommand } from "./status.js";
import { verifyCommand } from "./verify.js";
import { workerCommand } from "./worker.js";

const COMMANDS = [
  migrateCommand,
  seedCommand,
  kickoffCommand,
  workerCommand,
  statusCommand,
  verifyCommand,
  resumeCommand,
  cancelCommand,
  healCommand,
  dlqCommand,
  doctorCommand,
];

const program = new Command("payments")
  .description("Fills a partitioned PostgreSQL with card payments that arrive through RabbitMQ.")
  .version(packageVersion(), "--version")
  .addHelpText("after", "\nExit status: 0 ok, 1 failed, 2 usage, 3 verification mismatch, 130 interrupted.");
for (const make of COMMANDS) program.addCommand(make());
everyCommand(program, (command) => {
  if (command !== program) command.option("--json", "machine-readable output");
  command.exitOverride();
});

// `payments status | head` closes our stdout: there is nobody left to tell.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed),
);

try {
  await program.parseAsync();
} catch (error) {
  // commander has printed the reason; help and version end with 0, anything else is a usage error.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) everyCommand(child, visit);
}
