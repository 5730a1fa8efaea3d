import { rename, writeFile } from "node:fs/promises";
import { say } from "../lib/process/stderr.js";
import { print } from "../lib/process/stdout.js";
import { type Machine, renderMachine } from "./machine.js";

/** Where a bench's words and figures go: progress to stderr, results to stdout, everything to the file of --json. */
export class Report {
  readonly #about: object;
  readonly #file: string | undefined;

  /** Prints the machine's facts, and warns when somebody else is at work on it. */
  constructor(command: string, machine: Machine, file: string | undefined) {
    this.#about = { command, startedAt: new Date().toISOString(), machine };
    this.#file = file;
    this.print(`${renderMachine(machine)}\n`);
    if (machine.loadAverage > 0.5) {
      this.say(`warning: the load average is ${machine.loadAverage}: other work will show in the figures`);
    }
  }

  say(line: string): void {
    say(`bench.sh: ${line}`);
  }

  print(text: string): void {
    print(text);
  }

  /** Again after every round: an interrupted bench keeps what it has. Whole or not at all. */
  async save(results: object): Promise<void> {
    if (this.#file !== undefined) {
      await writeFile(`${this.#file}.new`, `${JSON.stringify({ ...this.#about, ...results }, null, 2)}\n`);
      await rename(`${this.#file}.new`, this.#file);
    }
  }
}
