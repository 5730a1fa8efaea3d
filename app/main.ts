#!/usr/bin/env node
import { Command } from "commander";
import { cancelCommand } from "../etl/commands/cancel.js";
import { healCommand } from "../etl/commands/heal.js";
import { kickoffCommand } from "../etl/commands/kickoff.js";
import { resumeCommand } from "../etl/commands/resume.js";
import { seedCommand } from "../etl/commands/seed.js";
import { statusCommand } from "../etl/commands/status.js";
import { verifyCommand } from "../etl/commands/verify.js";
import { workerCommand } from "../etl/commands/worker.js";
import { runProgram } from "../lib/cli/program.js";
import { packageVersion } from "../lib/root.js";
import { dlqCommand } from "./commands/dlq.js";
import { doctorCommand } from "./commands/doctor.js";
import { migrateCommand } from "./commands/migrate.js";

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
