import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AllSettings } from "../../app/settings.js";
import type { Point } from "../../etl/point.js";
import { type Output, outputOf, start } from "../../lib/process/run.js";
import { packageRoot } from "../../lib/root.js";
import { eventually } from "./eventually.js";
import { CHILD_MARK, trackChild } from "./leaks.js";

const MAIN = join(packageRoot, "dist", "app", "main.js");
const BACKUPS = join(packageRoot, "dist", "app", "backups.js");
const SERVICE_AT = join(packageRoot, "tests", "harness", "service_at.mjs");
const WORKER_AT = join(packageRoot, "tests", "harness", "worker_at.mjs");

export interface CommandResult extends Readonly<Output> {
  readonly code: number | null;
}

/** AllSettings by name; others may be among them, such as NAME_FILE or one that nobody knows. */
type Environment = Partial<AllSettings> | Readonly<Record<string, string | number>>;

/** Runs `payments …` as a user would, with just these settings. */
export function payments(settings: Environment, ...args: string[]): Promise<CommandResult> {
  return startPayments(settings, ...args).ended;
}

/** The same, for a command to be looked at and signalled while it runs. */
export function startPayments(settings: Environment, ...args: string[]): StartedCommand {
  return follow(startNode(settings, [MAIN, ...args]));
}

/** Any program of ours by its main file: one that was compiled for a test, or is of another release. */
export function startProgram(main: string, settings: Environment, ...args: string[]): StartedCommand {
  return follow(startNode(settings, [main, ...args]));
}

/** Runs a command of jobs/, as scripts/backup.sh and its like do. */
export function backups(settings: Environment, ...args: string[]): Promise<CommandResult> {
  return startBackups(settings, ...args).ended;
}

/** @param args the last may be what is typed: `< text`. */
export function startBackups(settings: Environment, ...args: string[]): StartedCommand {
  const typed = args.at(-1)?.startsWith("< ") ? args.pop() : undefined;
  const child = startNode(settings, [BACKUPS, ...args], "pipe");
  child.stdin?.end(typed?.slice(2) ?? "");
  return follow(child);
}

const PROGRAMS = { payments: MAIN, backups: BACKUPS };

/** Runs a command as a shell is told to, with its streams anywhere: `exec "$@" status 2>/dev/full`. */
export function startShell(
  settings: Environment,
  program: keyof typeof PROGRAMS,
  script: string,
): StartedCommand {
  const shell = ["bash", "-c", `set -o pipefail; ${script}`, "bash", process.execPath, PROGRAMS[program]];
  return follow(startTracked(shell, settings));
}

interface StartedCommand {
  readonly output: Output;
  readonly ended: Promise<CommandResult>;
  readonly child: ChildProcess;
}

function follow(child: ChildProcess): StartedCommand {
  const output = outputOf(child);
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...output }));
  return { output, ended, child };
}

/** What happens to a worker, and where; see Point in etl/point.ts. */
export interface Fault {
  readonly point: Point;
  readonly nth?: number;
  readonly signal?: NodeJS.Signals;
  readonly leaseMs?: number;
}

/** A worker in a process of its own, to be killed. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  log = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.on("data", (data) => (this.log += String(data)));
  }

  /** Resolves when it takes messages. */
  static async start(settings: Partial<AllSettings>, main = MAIN): Promise<WorkerProcess> {
    const worker = new WorkerProcess(startNode({ ...settings, LOG_LEVEL: "info" }, [main, "worker"]));
    // One that serves nothing says it in its log only.
    const { WORKER_METRICS_PORT: port = 0 } = settings;
    const ready = () => (port === 0 ? worker.log.includes("worker ready") : answersReady(port));
    await eventually("worker ready", async () => (await ready()) || worker.#failure(), { withinMs: 60_000 });
    return worker;
  }

  /** One that signals itself at a named point, the nth time it gets there. */
  static startFaulty(settings: Partial<AllSettings>, fault: Fault): WorkerProcess {
    const { point, nth = 1, signal = "SIGKILL", leaseMs = 30_000 } = fault;
    return new WorkerProcess(startNode(settings, [WORKER_AT, point, String(nth), signal, String(leaseMs)]));
  }

  /** Resolves with the signal or exit status that ended it. */
  async ended(): Promise<NodeJS.Signals | number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, "exit");
    }
    return this.#child.signalCode ?? this.#child.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGKILL, SIGTERM, …; resolves with its exit status, null after a kill. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return this.#child.exitCode;
    }
    const closed = once(this.#child, "close");
    this.#child.kill(signal);
    await closed;
    return this.#child.exitCode;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  #failure(): false {
    if (this.#child.exitCode !== null) {
      throw new Error(`worker ended with ${this.#child.exitCode}: ${this.log}`);
    }
    return false;
  }
}

/** Services in a process of their own that signal themselves at a point; see service_at.mjs. */
export function startServiceAt(
  settings: Environment,
  fault: {
    /** Several are told apart by commas. */
    readonly module: string;
    readonly point: string;
    readonly nth?: number;
    readonly signal: NodeJS.Signals;
  },
): StartedCommand {
  const { module, point, nth = 1, signal } = fault;
  return follow(startNode(settings, [SERVICE_AT, module, point, String(nth), signal]));
}

/** The process's state letter in /proc: R, S, T (stopped), … */
export async function processState(pid: number | undefined): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).at(0);
}

function answersReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Nothing of the test's own environment but what finds node; no .env of the checkout either. */
function startNode(settings: Environment, args: readonly string[], stdin: "ignore" | "pipe" = "ignore") {
  return startTracked([process.execPath, ...args], settings, stdin);
}

function startTracked(
  command: readonly string[],
  settings: Environment,
  stdin: "ignore" | "pipe" = "ignore",
) {
  const mark = { [CHILD_MARK]: `${process.env[CHILD_MARK]} child` };
  const env = { NO_COLOR: "1", PAYMENTS_ENV_FILE: "/dev/null", ...mark, ...settings };
  const child = start(command, { env, stdio: [stdin, "pipe", "pipe"] });
  trackChild(child, command.join(" "));
  return child;
}
