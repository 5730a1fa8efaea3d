import type { Run } from "../../etl/ledger/run.js";
import { Table } from "./store.js";

/** Columns of etl.run as the ledger reads them. */
export interface RunRow {
  readonly run_id: string;
  readonly state: Run["state"];
  readonly txn_rows: number;
  readonly first_txn_id: number;
  readonly window_chunks: number;
  readonly chunks_total: number | null;
  readonly next_chunk: number;
  readonly months_total: number | null;
  readonly months_done: number;
  readonly begun_by_message: boolean;
  readonly redeliveries: number;
  readonly [column: string]: unknown;
}

export interface RunMonthRow {
  readonly run: string;
  readonly month: string;
  readonly chunks_total: number;
  readonly chunks_done: number;
  readonly state: "open" | "done";
}

export interface ChunkRow {
  readonly run: string;
  readonly chunk: number;
  readonly month: string;
  readonly state: "staged" | "cleaned";
  readonly txn_rows: number;
  readonly accepted: number | null;
  readonly released_chunk: number | null;
}

/** Rows of one chunk that go the same way: right from the start, suspects that clean repairs, or suspects that it rejects. */
export interface Slice {
  readonly run: string;
  readonly month: string;
  readonly chunk: number;
  readonly part: "right" | "repaired" | "rejected";
  readonly rows: number;
}

/** In each chunk; its other rows are right. */
const REPAIRED_ROWS = 1;
export const REJECTED_ROWS = 1;
export const SUSPECTS = REPAIRED_ROWS + REJECTED_ROWS;

/** What PostgreSQL holds: as much of the schema as the steps touch. */
export class Database {
  readonly runs = new Table<RunRow>();
  readonly runMonths = new Table<RunMonthRow>();
  readonly chunks = new Table<ChunkRow>();
  /** By chunk: how many of its rows clean has found to be bad, of any class. */
  readonly findings = new Table<number>();
  /** What runs build their months in, by run and month: tables staging.txn_<run>_<month> and their partitions. */
  readonly builds = new Table<true>();
  /** Rows of all `_leaf` partitions of builds. Nothing is unique there yet. */
  readonly built = new Table<Slice>();
  /** Rows of all `_suspect` partitions of builds. */
  readonly suspects = new Table<Slice>();
  /** etl.month */
  readonly months = new Table<true>();
  /** Attached leaves of txn, by month, and their rows. */
  readonly leaves = new Table<true>();
  readonly txn = new Table<Slice>();
  readonly rejects = new Table<Slice>();
  /** By table and month: the rows that were rolled up. */
  readonly rollups = new Table<readonly Slice[]>();
  /** What can be locked as a whole. */
  readonly tableLocks = new Table<true>([
    ["etl.run", true],
    ["payments.txn", true],
  ]);
  #serial = 0;

  /** A key that no row has had before. */
  serial(): string {
    this.#serial += 1;
    return String(this.#serial);
  }
}

/** The rows of a chunk. */
export function slicesOf(chunk: { run: string; month: string; chunk: number }, rows: number): Slice[] {
  const { run, month, chunk: no } = chunk;
  const of = { run, month, chunk: no };
  return [
    { ...of, part: "right", rows: rows - SUSPECTS },
    { ...of, part: "repaired", rows: REPAIRED_ROWS },
    { ...of, part: "rejected", rows: REJECTED_ROWS },
  ];
}

/** One text for the same slices in any order. */
export function inventory(slices: Iterable<Slice>): string {
  const lines = [...slices].map(
    ({ run, month, chunk, part, rows }) => `${run}/${chunk} of ${month}: ${rows} ${part}`,
  );
  return lines.sort().join(", ");
}

export function rowsIn(slices: readonly Slice[]): number {
  return slices.reduce((sum, { rows }) => sum + rows, 0);
}
