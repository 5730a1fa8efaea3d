import { setTimeout as sleep } from "node:timers/promises";
import { print as say } from "../../lib/process/stdout.js";
import { payments } from "./command.js";
import { failuresIn, type ProcessPlan, ProcessSlot } from "./fleet.js";
import { inject, type Tally, type Targets } from "./inject.js";
import { describeFault, type Event } from "./schedule.js";
import { Stack } from "./stack.js";

/** What is run under faults, and what proves that they did no harm. */
export interface Trial {
  /** What was asked for, beside the seed: `5 min, 400000 rows`. */
  readonly title: string;
  readonly seed: number;
  readonly durationMs: number;
  readonly events: readonly Event[];
  readonly processes: readonly ProcessPlan[];
  /** The rig gives up after so long. */
  readonly limitMs: number;
  /** The load, a line for each piece that is dealt in advance. */
  readonly printLoad: () => void;
  /** From an empty database to the checks. */
  readonly run: (rig: Rig) => Promise<Result>;
}

/** One thing that must hold at the end; no complaint means that it does. */
export interface Check {
  readonly name: string;
  readonly complaints: readonly string[];
}

interface Result {
  readonly checks: readonly Check[];
  readonly tally: Tally;
  /** Lines to be printed beside. */
  readonly notes: readonly string[];
}

export const clock = (ms: number) =>
  `${Math.floor(ms / 60_000)}:${((ms % 60_000) / 1_000).toFixed(1).padStart(4, "0")}`;

/** Processes and servers of a trial; keeps its time and tells its verdict. */
export class Rig {
  readonly stack: Stack;
  readonly slots: readonly ProcessSlot[];
  readonly #trial: Trial;
  readonly #started = Date.now();

  private constructor(trial: Trial, stack: Stack, slots: readonly ProcessSlot[]) {
    this.#trial = trial;
    this.stack = stack;
    this.slots = slots;
  }

  static async open(trial: Trial, { stackDir, logDir }: { stackDir: string; logDir: string }): Promise<Rig> {
    const stack = await Stack.attach(stackDir);
    const slots: ProcessSlot[] = [];
    for (const plan of trial.processes) {
      slots.push(await ProcessSlot.open(stack, plan, logDir));
    }
    return new Rig(trial, stack, slots);
  }

  /** Ends the process, in time and whatever happens. */
  async run(): Promise<never> {
    const { limitMs, seed } = this.#trial;
    const abandoned = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`not over after ${clock(limitMs)}`)), limitMs);
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => reject(new Error(`ended by ${signal}`)));
      }
    });
    const story = this.#trial.run(this).then((result) => this.#conclude(result));
    const status = await Promise.race([story, abandoned]).catch((error: unknown) => {
      const why = error instanceof Error ? error.stack : String(error);
      say(`chaos: FAIL  seed ${seed}: the rig itself failed: ${why}`);
      return 1;
    });
    await Promise.all(this.slots.map((slot) => slot.kill()));
    // Whatever faults are still under way end here.
    process.exit(status);
  }

  /** A line with the time since the rig began. */
  say(line: string): void {
    say(`${this.#now()}  ${line}`);
  }

  /** Runs `payments …` on the stack itself. @returns what it printed. @throws Error when it fails. */
  async payments(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await payments(this.stack.settings, ...args);
    if (code !== 0) {
      throw new Error(`payments ${args.join(" ")}: exit ${code}: ${stderr}`);
    }
    return stdout;
  }

  startAll(): void {
    for (const slot of this.slots) {
      slot.start();
    }
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.stop()));
  }

  /** Carries out the schedule, for all of its time, then heals: what is frozen goes on, what is down is started, links are whole. */
  async disturb(disturbMessages: Targets["disturbMessages"]): Promise<Tally> {
    const { events, durationMs } = this.#trial;
    const began = Date.now();
    const targets = { stack: this.stack, slots: this.slots, disturbMessages };
    const tally = await inject(events, targets, ({ fault }) =>
      this.say(`${clock(Date.now() - began)}  ${describeFault(fault)}`),
    );
    await sleep(Math.max(0, began + durationMs - Date.now()));
    for (const slot of this.slots) {
      for (const proxy of Object.values(slot.proxies)) {
        proxy.pass();
      }
      slot.thaw();
      slot.start();
    }
    await this.stack.up();
    return tally;
  }

  /** After `stopAll`. */
  surprises(): Check {
    return {
      name: "no process ended by itself, all end on SIGTERM",
      complaints: this.slots.flatMap((slot) => slot.surprises),
    };
  }

  #conclude({ checks, tally, notes }: Result): number {
    say("");
    const kinds = [...new Set([...tally.done.keys(), ...tally.missed.keys()])].sort();
    for (const kind of kinds) {
      const missed = tally.missed.get(kind);
      say(
        `${kind.padEnd(20)} ${tally.done.get(kind) ?? 0}${missed ? ` (and ${missed} that met nobody)` : ""}`,
      );
    }
    const failures = [...failuresIn(this.slots.map((slot) => slot.logFile))].map(
      ([what, n]) => `${what} ${n}`,
    );
    say(`failures logged: ${failures.join(", ") || "none"}`);
    const lost = this.stack.lostQueues.map(
      ({ queue }) => `${queue}: the broker could not restart it; deleted`,
    );
    for (const note of [...notes, ...this.stack.secondStarts, ...lost]) {
      say(note);
    }
    say("");
    for (const { name, complaints } of checks) {
      say(`${complaints.length === 0 ? "ok  " : "FAIL"}  ${name}`);
      for (const complaint of complaints.slice(0, 20)) {
        say(`      ${complaint}`);
      }
    }
    const failed = checks.filter((check) => check.complaints.length > 0).length;
    const faults = [...tally.done.values()].reduce((sum, n) => sum + n, 0);
    const { seed, title } = this.#trial;
    const verdict = failed === 0 ? "PASS" : "FAIL";
    say(`chaos: ${verdict}  seed ${seed}, ${title}, ${faults} faults, over after ${this.#now()}`);
    return failed === 0 ? 0 : 1;
  }

  #now(): string {
    return clock(Date.now() - this.#started);
  }
}
