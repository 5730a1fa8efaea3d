import { once } from "node:events";
import { EXIT } from "../lib/errors.js";
import { outputOf, start } from "../lib/process/run.js";
import { BenchError } from "./errors.js";
import { MAIN } from "./platform_process.js";
import { BASE_ENV } from "./process.js";
import type { Stack } from "./stack.js";

/**
 * What `payments audit --quiesced` finds when all has settled, each as a line.
 *
 * @param trafficId of a run whose answer key is looked at too
 * @param env settings besides the stack's
 *
 * @throws PlatformError BENCH_FAILED when it comes to no verdict.
 */
export async function auditOf(
  stack: Stack,
  trafficId?: number,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const key = trafficId === undefined ? [] : ["--traffic", String(trafficId)];
  const command = [process.execPath, MAIN, "audit", "--quiesced", "--json", ...key];
  const child = start(command, {
    // A bootstrapped checkout names its gateway's book, and that gateway is none of the bench's.
    env: { ...BASE_ENV, ...stack.settings, PAYOUTS_BOOK_URL: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = outputOf(child);
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== EXIT.ok && code !== EXIT.mismatch) {
    throw new BenchError("BENCH_FAILED", `payments audit ended with ${code}: ${output.stderr.trimEnd()}`);
  }
  const { differences } = JSON.parse(output.stdout) as { differences: readonly Record<string, string>[] };
  return differences.map((difference) => Object.values(difference).join(" | "));
}
