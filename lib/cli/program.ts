import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";
import { type Command, CommanderError } from "commander";
import { EXIT } from "../errors.js";
import { stderrLines } from "../process/stderr.js";
import { outputProblem, write } from "../process/stdout.js";
import { reportError } from "./command.js";

/** Runs what the command line asks for, and sets the exit status. @param make of the program; what it throws is told as usual. */
export async function runProgram(make: () => Command): Promise<void> {
  let program: Command;
  try {
    program = make();
  } catch (error) {
    process.exitCode = reportError(error);
    return;
  }
  everyCommand(program, (command) => {
    if (command !== program) {
      command.option("--json", "machine-readable output");
    }
    command.exitOverride();
    command.configureOutput({ writeOut: write, writeErr: (text) => stderrLines.write(text) });
  });
  // Past a limit on file sizes (ulimit -f) a write fails like on a full disk, instead of ending the process.
  process.on("SIGXFSZ", () => undefined);
  letGoOfTerminals();
  try {
    await program.parseAsync();
  } catch (error) {
    // commander has printed the reason; help and version end with 0, anything else is a usage error.
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const problem = await outputProblem();
    if (problem !== undefined) {
      process.exitCode = reportError(problem);
    }
  }
}

/** At its end Node gives terminals their settings back, and aborts when one has been closed meanwhile. */
function letGoOfTerminals(): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.on("exit", () => {
    for (const fd of terminals.filter((each) => !isatty(each))) {
      closeSync(fd);
      openSync("/dev/null", "r+"); // takes the lowest number that is free
    }
  });
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) {
    everyCommand(child, visit);
  }
}
