#!/usr/bin/env node
import { Command } from "commander";
import { packageVersion } from "../../lib/root.js";
import { cancelCommand } from "./cancel.js";
import { dlqCommand } from "./dlq.js";
import { doctorCommand } from "./doctor.js";
import { healCommand } from "./heal.js";
import { kickoffCommand } from "./kickoff.js";
import { migrateCommand } from "./migrate.js";
import { runProgram } from "./program.js";
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
await runProgram(program);
