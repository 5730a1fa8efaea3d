#!/usr/bin/env node
import { Command } from "commander";
import { jobs } from "../jobs/module.js";
import { runProgram } from "../lib/cli/program.js";
import { commandsOf } from "./cli.js";

const program = new Command("backups").description("Backups of the payments database, and their proof.");
for (const command of commandsOf(jobs)) {
  program.addCommand(command);
}
await runProgram(program);
