import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Output, outputOf, start } from "../lib/process/run.js";
import { packageRoot } from "../lib/root.js";
import { BenchError } from "./errors.js";
import { BASE_ENV, until } from "./process.js";

export const MAIN = join(packageRoot, "dist", "app", "main.js");
const START_MS = 60_000;

export interface ProcessOptions {
  /** Of `payments`, e.g. `worker`, or `serve wallet`. */
  readonly args: readonly string[];
  /** Its settings. */
  readonly env: object;
  /** Whether it is at work, by its log or otherwise. */
  readonly isReady: (log: string) => boolean | Promise<boolean>;
  readonly nodeArgs?: readonly string[];
  readonly signal: AbortSignal;
}

/** A process of the platform that is measured, as a user would start it. */
export class PlatformProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #output: Output;

  private constructor(child: ChildProcess, name: string) {
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#name = name;
    this.#output = outputOf(child);
  }

  /** Resolves when it is at work. */
  static async start({
    args,
    env,
    isReady,
    nodeArgs = [],
    signal,
  }: ProcessOptions): Promise<PlatformProcess> {
    const own = { ...BASE_ENV, ...env, LOG_LEVEL: "info", LOG_FORMAT: "json" };
    const command = [process.execPath, ...nodeArgs, MAIN, ...args];
    const name = `payments ${args.join(" ")}`;
    const started = new PlatformProcess(
      start(command, { env: own, stdio: ["ignore", "ignore", "pipe"] }),
      name,
    );
    const ready = () => {
      started.mustLive();
      return isReady(started.#output.stderr);
    };
    try {
      await until(`${name} to be ready`, ready, { withinMs: START_MS, signal });
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** @throws PlatformError BENCH_FAILED with the last line of its log when it has ended. */
  mustLive(): void {
    if (this.ended) {
      throw this.#failure();
    }
  }

  /** @throws PlatformError BENCH_FAILED with the last line of its log unless it has ended with 0. */
  mustHaveSucceeded(): void {
    if (this.#child.exitCode !== 0) {
      throw this.#failure();
    }
  }

  #failure(): BenchError {
    const last = this.#output.stderr.trimEnd().split("\n").at(-1);
    const { exitCode, signalCode } = this.#child;
    return new BenchError("BENCH_FAILED", `${this.#name} has ended with ${exitCode ?? signalCode}: ${last}`);
  }

  /** Its largest resident set so far. */
  peakMb(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  /** Drains, unless the bench was interrupted: then its database is about to go anyway. */
  async stop(): Promise<void> {
    if (this.ended) {
      return;
    }
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), START_MS);
    await ended;
    clearTimeout(late);
  }
}
