import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../lib/errors.js";
import { type RunOptions, run as runProgram } from "../lib/process/run.js";
import { BenchError } from "./errors.js";

const POLL_MS = 200;
/** What a program of the bench gets of our environment: nothing that steers a client. */
export const BASE_ENV = { LANG: "C.UTF-8", NO_COLOR: "1" };

/** @throws PlatformError BENCH_FAILED with the line of its standard error that says most. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  return runProgram(command, { ...options, env: { ...BASE_ENV, ...options.env } }).catch((error: unknown) => {
    if (options.signal?.aborted) {
      throw error;
    }
    throw new BenchError("BENCH_FAILED", messageOf(error).replace(/\.?$/, "."), { cause: error });
  });
}

/** @throws PlatformError BENCH_FAILED when it does not come true in time; the signal's reason when that has fired. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { withinMs, signal }: { withinMs?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const deadline = Date.now() + (withinMs ?? Number.POSITIVE_INFINITY);
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new BenchError("BENCH_FAILED", `waited ${withinMs} ms in vain for ${what}.`);
    }
    await sleep(POLL_MS, undefined, signal && { signal });
  }
}
