import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { packageRoot } from "../../lib/root.js";
import type { Settings } from "../../lib/settings/settings.js";
import { eventually } from "./eventually.js";

const MAIN = join(packageRoot, "dist", "etl", "cli", "main.js");

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `payments …` as a user would, with just these settings. */
export async function payments(settings: Partial<Settings>, ...args: string[]): Promise<CommandResult> {
  const child = start(settings, args);
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (data) => (output.stdout += String(data)));
  child.stderr?.on("data", (data) => (output.stderr += String(data)));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}

/** A worker in a process of its own, to be killed. */
export class WorkerProcess {
  private readonly child: ChildProcess;
  log = "";

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stderr?.on("data", (data) => (this.log += String(data)));
  }

  /** Resolves when it takes messages. */
  static async start(settings: Partial<Settings>): Promise<WorkerProcess> {
    const worker = new WorkerProcess(start({ ...settings, LOG_LEVEL: "info" }, ["worker"]));
    await eventually("worker ready", () => worker.log.includes("worker ready") || worker.failure());
    return worker;
  }

  /** SIGKILL, SIGTERM, …; resolves with its exit status, null after a kill. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const closed = once(this.child, "close");
    this.child.kill(signal);
    await closed;
    return this.child.exitCode;
  }

  /** Peak memory so far. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  private failure(): false {
    if (this.child.exitCode !== null)
      throw new Error(`worker ended with ${this.child.exitCode}: ${this.log}`);
    return false;
  }
}

function start(settings: Partial<Settings>, args: readonly string[]): ChildProcess {
  const own = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  return spawn(process.execPath, [MAIN, ...args], {
    // Nothing of the test's own environment but what finds node; no .env of the checkout either.
    cwd: "/",
    env: { PATH: process.env["PATH"], NO_COLOR: "1", ...own },
    stdio: ["ignore", "pipe", "pipe"],
  });
}
