import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { leafTable } from "../etl/build/names.js";
import type { ChunkSource } from "../etl/generate/source.js";
import { planRun } from "../etl/plan.js";
import type { PlannedSpec } from "../etl/spec.js";
import { run } from "./process.js";
import type { Stack } from "./stack.js";

/** A file ready for COPY. */
export interface Input {
  readonly path: string;
  readonly rows: number;
}
/** Of its rows so many will be accepted. */
export type ChunkInput = Input & { readonly accepted: number };
export type MonthInput = Input & { readonly month: string };

/** What the measured commands are given, made beforehand, outside every clock. */
export interface Inputs {
  /** Accepted rows as text in order of time: each month for itself, and all of them in one file. */
  readonly months: readonly MonthInput[];
  readonly whole: Input;
  /** Generated rows, one binary file a chunk. */
  readonly chunks: readonly ChunkInput[];
}

/** How many sessions load side by side wherever something does: the worker's default, and two cores' worth. */
export const LANES = 2;

/** Exports what a pipeline has loaded; its database is the bench's at this moment. */
export async function exportText(
  stack: Stack,
  folder: string,
  spec: PlannedSpec,
): Promise<Pick<Inputs, "months" | "whole">> {
  const months: MonthInput[] = [];
  const whole = join(folder, "txn.txt");
  for (const { month } of planRun(spec).months) {
    const path = join(folder, `txn_${month}.txt`);
    const query = `SELECT * FROM ${leafTable(month)} ORDER BY occurred_at, txn_id`;
    months.push({ month, path, rows: copied(await stack.psql(`\\copy (${query}) to ${quotePath(path)}\n`)) });
    await pipeline(createReadStream(path), createWriteStream(whole, { flags: "a" }), {
      signal: stack.signal,
    });
  }
  return { months, whole: { path: whole, rows: months.reduce((sum, month) => sum + month.rows, 0) } };
}

/** Every chunk's COPY stream just as stage sends it; also warms the generator's threads up. */
export async function writeBinary(
  stack: Stack,
  folder: string,
  spec: PlannedSpec,
  source: ChunkSource,
): Promise<ChunkInput[]> {
  const plan = planRun(spec);
  const inputs: ChunkInput[] = [];
  await inLanes(plan.chunks, async (chunkNo) => {
    stack.signal.throwIfAborted();
    const path = join(folder, `chunk_${chunkNo}.bin`);
    const file = await open(path, "w");
    let counts = { rows: 0, accepted: 0 };
    try {
      // Each buffer is written before the next is asked for: they are used again.
      for await (const buffer of source.stream(spec, chunkNo, (key) => {
        counts = { rows: key.rows, accepted: key.accepted };
      })) {
        await file.write(buffer);
      }
    } finally {
      await file.close();
    }
    inputs[chunkNo] = { path, ...counts };
  });
  return inputs;
}

/** Runs `work` for 0 … count - 1, in order, LANES at a time. */
export async function inLanes(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      await work(next++);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Work dealt to LANES sessions, the largest first and always to the one with least, so that both end together. */
export function deal<T extends { readonly rows: number }>(work: readonly T[]): T[][] {
  const hands = Array.from({ length: LANES }, () => ({ rows: 0, work: [] as T[] }));
  for (const piece of work.toSorted((a, b) => b.rows - a.rows)) {
    const hand = hands.reduce((least, candidate) => (candidate.rows < least.rows ? candidate : least));
    hand.rows += piece.rows;
    hand.work.push(piece);
  }
  return hands.map((hand) => hand.work);
}

/** Rows that psql says it has copied, over all commands of a script. */
export function copied(stdout: string): number {
  return [...stdout.matchAll(/^COPY (\d+)$/gm)].reduce((sum, [, rows]) => sum + Number(rows), 0);
}

export function quotePath(path: string): string {
  return `'${path.replaceAll("'", "''")}'`;
}

/** Whatever the files left in the kernel's write-back goes to disk now, and not under a clock. */
export async function flush(folder: string): Promise<void> {
  await run(["sync", "-f", folder]);
}
