import type { Database } from "./database.js";
import { sqlError, type Table, type Transaction } from "./store.js";

/** What a query resolves to. */
export interface Result {
  readonly rows: readonly object[];
  readonly rowCount: number;
}

export const NOTHING: Result = { rows: [], rowCount: 0 };

export interface Call {
  readonly db: Database;
  readonly tx: Transaction;
  readonly values: readonly unknown[];
  /** What stood at the `<…>` of the pattern, and in its optional `[…]`. */
  readonly words: readonly (string | undefined)[];
}

export type Meaning = (call: Call) => Promise<Result> | Result;

/**
 * What statements mean, by their text. `<x>` is a word, `[…]` may be missing, `…` stands for what does not matter here, mostly
 * columns that only measure. Anything else must be just so: a statement that was changed is one that is not known.
 */
export type Meanings = Readonly<Record<string, Meaning>>;

export function rows(...found: readonly object[]): Result {
  return { rows: found, rowCount: found.length };
}

export function changed(row: object | undefined): Result {
  return row === undefined ? NOTHING : rows(row);
}

/** @throws unless it was entered, with the SQLSTATE of what is unique, or of a relation that is there already. */
export async function demand(entered: Promise<boolean>, what: string, code = "23505"): Promise<void> {
  if (!(await entered)) {
    throw sqlError(code, `${what} has it already`);
  }
}

export async function seen<T>(
  tx: Transaction,
  table: Table<T>,
  key: string,
  lock: string | undefined,
): Promise<T | undefined> {
  return lock === undefined ? tx.read(table, key) : await tx.lock(table, key, "exclusive");
}
