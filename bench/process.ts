import { messageOf } from "../lib/errors.js";
import { type RunOptions, run as runProgram } from "../lib/process/run.js";
import { BenchError } from "./errors.js";

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
