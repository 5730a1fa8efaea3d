import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

export interface Latencies {
  readonly transactions: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Latencies in µs by number of script, out of the files that `pgbench --log` writes. */
export async function readLatencies(files: readonly string[]): Promise<Map<number, number[]>> {
  const latencies = new Map<number, number[]>();
  for (const file of files) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const entry = parseLogLine(line);
      if (entry !== undefined) {
        const known = latencies.get(entry.script) ?? [];
        known.push(entry.us);
        latencies.set(entry.script, known);
      }
    }
  }
  return latencies;
}

/** `client transaction latency script …`; undefined where the latency is the word `failed` or `skipped`. */
export function parseLogLine(line: string): { script: number; us: number } | undefined {
  const [, , us, script] = line.split(" ");
  return us !== undefined && /^\d+$/.test(us) ? { script: Number(script), us: Number(us) } : undefined;
}

/** By nearest rank: each is a latency that was measured. @param us in microseconds, at least one. */
export function latenciesOf(us: readonly number[]): Latencies {
  const sorted = Float64Array.from(us).sort();
  const ms = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN) / 1_000;
  return { transactions: sorted.length, p50Ms: ms(0.5), p95Ms: ms(0.95), p99Ms: ms(0.99) };
}
