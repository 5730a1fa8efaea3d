#!/usr/bin/env node
import { Command } from "commander";
import { jobs } from "../jobs/module.js";
import { runProgram } from "../lib/cli/program.js";
import { actionsOver, commandsOf } from "./cli.js";
import { MODULES } from "./modules.js";

await runProgram(() => {
  const program = new Command("backups").description("Backups of the payments database, and their proof.");
  for (const command of commandsOf(jobs, actionsOver(MODULES))) {
    program.addCommand(command);
  }
  return program;
});
