import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import type { Settings } from "../lib/settings/base.js";
import { BenchError } from "./errors.js";

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Sent to its standard input; nothing is sent without it. */
  readonly input?: string;
  readonly cwd?: string;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/** What a child gets of our environment: enough to find programs, nothing that steers a client. */
const BASE_ENV = { PATH: process.env["PATH"], LANG: "C.UTF-8", NO_COLOR: "1" };

/** Starts a program that the kernel ends with us, so that a bench killed outright leaves no load behind. */
export function start(
  command: readonly string[],
  options: RunOptions & { stdio: StdioOptions },
): ChildProcess {
  const child = spawn("setpriv", ["--pdeathsig", "TERM", "--", ...command], {
    env: { ...BASE_ENV, ...options.env },
    cwd: options.cwd ?? "/",
    stdio: options.stdio,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  // Also emitted when the signal fires; whoever waits for the end hears of it there.
  child.on("error", () => undefined);
  return child;
}

/**
 * Runs a program to its end.
 *
 * @returns its standard output.
 * @throws PlatformError BENCH_FAILED with the most telling line of its standard error.
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = start(command, { ...options, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (data) => (stdout += String(data)));
  child.stderr?.on("data", (data) => (stderr += String(data)));
  // It may end without having read everything.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input ?? "");
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  options.signal?.throwIfAborted();
  if (code === 0) return stdout;
  // What comes after the first error is mostly its consequence.
  const lines = stderr.trim().split("\n");
  const why = lines.find((line) => /\berror\b/i.test(line)) || lines.at(-1) || "it says nothing";
  throw new BenchError(
    "BENCH_FAILED",
    `${command[0]} ended with ${signal ?? code}: ${why.replace(/\.?$/, ".")}`,
  );
}

/** All settings as an environment, for a process that shall have just these. */
export function settingsEnv(settings: Settings): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}
