import type { Run } from "../../etl/ledger.js";
import { Table, type Transaction } from "./store.js";

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
  readonly released_chunk: number | null;
}

/** Rows of one chunk that clean has put into a leaf together. */
export interface Slice {
  readonly month: string;
  readonly run: string;
  readonly chunk: number;
  readonly rows: number;
}

interface ClassRow {
  readonly run: string;
  readonly chunk: number;
  readonly found: number;
}

/** One row of each staged chunk is bad. */
export const BAD_ROWS = 1;

/** What PostgreSQL holds: as much of the schema as the steps touch. */
export class Database {
  readonly runs = new Table<RunRow>();
  readonly runMonths = new Table<RunMonthRow>();
  readonly chunks = new Table<ChunkRow>();
  readonly classes = new Table<ClassRow>();
  readonly months = new Table<{ readonly state: "building" | "published" }>();
  /** Tables staging.txn_<run>_<chunk>, and how many rows each holds. */
  readonly staging = new Table<number>();
  readonly leaves = new Table<{ readonly attached: boolean }>();
  readonly slices = new Table<Slice>();
  readonly rejects = new Table<Slice>();
  /** By table and month: the slices that were rolled up, as a text. */
  readonly rollups = new Table<string>();
  /** What can be locked as a whole. */
  readonly tableLocks = new Table<true>([["etl.run", true]]);
  /** How often each month was published, for good. */
  readonly published = new Table<number>();
  #serial = 0;

  /** A number that no row has had before. */
  serial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** What a crash does to unlogged tables. */
  crash(): void {
    this.staging.overwrite(() => 0);
  }
}

export function slicesIn(tx: Transaction, db: Database, month: string): Slice[] {
  return tx.scan(db.slices).filter((slice) => slice.month === month);
}

/** One text for the same slices in any order. */
export function inventory(slices: readonly Slice[]): string {
  const lines = slices.map((slice) => `${slice.run}/${slice.chunk}: ${slice.rows}`);
  return lines.sort().join(", ");
}
