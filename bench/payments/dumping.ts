import { join } from "node:path";
import { run } from "../process.js";
import type { Stack } from "../stack.js";

/** Dumps the bench's database, compressed as pg_dump does it by itself, again and again for the length of `work`. */
export async function besideDumps<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const dumps = dumpUntil(stack, AbortSignal.any([over.signal, stack.signal]));
  const [result] = await Promise.all([work().finally(() => over.abort()), dumps]);
  return result;
}

/** @throws PlatformError BENCH_FAILED when a dump fails: what ran beside it then would be told as if it had run beside one. */
async function dumpUntil(stack: Stack, over: AbortSignal): Promise<void> {
  const command = [join(stack.pgBin, "pg_dump"), "--format=custom", "--no-sync", "--file=/dev/null"];
  while (!over.aborted) {
    await run(command, { env: stack.ownerEnv(), signal: over }).catch((error: unknown) => {
      if (!over.aborted) {
        throw error;
      }
    });
  }
}
