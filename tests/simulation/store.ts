/** How strongly a row is held, after PostgreSQL: KEY SHARE, NO KEY UPDATE, UPDATE. A table counts as a row of the catalogue. */
export type Mode = "share" | "write" | "exclusive";

class Row<T> {
  committed: T | undefined;
  /** What `writer` has made of it; undefined when deleted. */
  pending: T | undefined;
  writer: Transaction | undefined;
  readonly holders = new Map<Transaction, Mode>();
  waiting: (() => void)[] = [];

  seenBy(reader: Transaction): T | undefined {
    return this.writer === reader ? this.pending : this.committed;
  }
}

/** Rows by key, with what is committed apart from what is not. */
export class Table<T> {
  readonly rows = new Map<string, Row<T>>();

  constructor(committed: readonly (readonly [string, T])[] = []) {
    for (const [key, value] of committed) {
      const row = new Row<T>();
      row.committed = value;
      this.rows.set(key, row);
    }
  }

  /** What is committed. */
  *values(): Generator<T> {
    for (const row of this.rows.values()) {
      if (row.committed !== undefined) {
        yield row.committed;
      }
    }
  }

  *entries(): Generator<[string, T]> {
    for (const [key, row] of this.rows) {
      if (row.committed !== undefined) {
        yield [key, row.committed];
      }
    }
  }

  *keys(): Generator<string> {
    for (const [key] of this.entries()) {
      yield key;
    }
  }

  get(key: string): T | undefined {
    return this.rows.get(key)?.committed;
  }
}

/** An error with an SQLSTATE. */
export function sqlError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** What the driver says when the connection has gone; it has no code. */
export function connectionLost(): Error {
  return new Error("Connection terminated unexpectedly");
}

/** A transaction at READ COMMITTED: row locks, waiting, deadlock detection, rollback. */
export class Transaction {
  readonly #rows = new Set<Row<unknown>>();
  readonly #myTurn: () => Promise<void>;
  #waitsFor: { readonly row: Row<unknown>; readonly mode: Mode } | undefined;
  #over = false;

  /** @param myTurn asked for after each wait for a row. */
  constructor(myTurn: () => Promise<void>) {
    this.#myTurn = myTurn;
  }

  get wrote(): boolean {
    return [...this.#rows].some((row) => row.writer === this);
  }

  read<T>(table: Table<T>, key: string): T | undefined {
    return table.rows.get(key)?.seenBy(this);
  }

  scan<T>(table: Table<T>): T[] {
    return this.entries(table).map(([, value]) => value);
  }

  entries<T>(table: Table<T>): [string, T][] {
    const entries: [string, T][] = [];
    for (const [key, row] of table.rows) {
      const value = row.seenBy(this);
      if (value !== undefined) {
        entries.push([key, value]);
      }
    }
    return entries;
  }

  /** Waits until the row is free. @returns its newest version, or undefined (and no lock) when there is none to be seen. */
  async lock<T>(table: Table<T>, key: string, mode: Mode): Promise<T | undefined> {
    for (;;) {
      const row = table.rows.get(key);
      if (row?.seenBy(this) === undefined) {
        return undefined;
      }
      if (this.#take(row, mode)) {
        return row.seenBy(this);
      }
      await this.#wait(row, mode);
    }
  }

  /** @returns false when there is such a row; waits for whoever is about to enter or delete it. */
  async insert<T>(table: Table<T>, key: string, value: T): Promise<boolean> {
    for (;;) {
      let row = table.rows.get(key);
      if (row === undefined) {
        row = new Row<T>();
        table.rows.set(key, row);
      }
      const foreign = row.writer !== undefined && row.writer !== this;
      if (!foreign && row.seenBy(this) !== undefined) {
        return false;
      }
      if (!foreign && this.#take(row, "exclusive")) {
        this.#write(row, value);
        return true;
      }
      await this.#wait(row, "exclusive");
    }
  }

  async update<T>(table: Table<T>, key: string, change: (value: T) => T): Promise<T | undefined> {
    const value = await this.lock(table, key, "write");
    const row = table.rows.get(key);
    if (value === undefined || row === undefined) {
      return undefined;
    }
    this.#write(row, change(value));
    return row.pending;
  }

  async delete<T>(table: Table<T>, key: string): Promise<boolean> {
    const value = await this.lock(table, key, "exclusive");
    const row = table.rows.get(key);
    if (value === undefined || row === undefined) {
      return false;
    }
    this.#write(row, undefined);
    return true;
  }

  commit(): void {
    for (const row of this.#rows) {
      if (row.writer === this) {
        row.committed = row.pending;
      }
    }
    this.#end();
  }

  rollback(): void {
    this.#end();
  }

  #end(): void {
    this.#over = true;
    for (const wake of this.#waitsFor?.row.waiting.splice(0) ?? []) {
      wake();
    }
    for (const row of this.#rows) {
      if (row.writer === this) {
        row.writer = undefined;
      }
      row.holders.delete(this);
      for (const wake of row.waiting.splice(0)) {
        wake();
      }
    }
    this.#rows.clear();
  }

  #write<T>(row: Row<T>, value: T | undefined): void {
    row.writer = this;
    row.pending = value;
  }

  #take(row: Row<unknown>, mode: Mode): boolean {
    if (this.#blockers(row, mode).length > 0) {
      return false;
    }
    const held = row.holders.get(this);
    if (held === undefined || strength(mode) > strength(held)) {
      row.holders.set(this, mode);
    }
    this.#rows.add(row);
    return true;
  }

  #blockers(row: Row<unknown>, mode: Mode): Transaction[] {
    const others = [...row.holders].filter(([holder, held]) => holder !== this && conflict(held, mode));
    return others.map(([holder]) => holder);
  }

  async #wait(row: Row<unknown>, mode: Mode): Promise<void> {
    const blockers = this.#blockers(row, mode);
    if (blockers.some((blocker) => blocker.#leadsTo(this))) {
      throw sqlError("40P01", "deadlock detected");
    }
    this.#waitsFor = { row, mode };
    await new Promise<void>((wake) => row.waiting.push(wake));
    this.#waitsFor = undefined;
    if (this.#over) {
      throw connectionLost();
    }
    await this.#myTurn();
    if (this.#over) {
      throw connectionLost();
    }
  }

  #leadsTo(goal: Transaction): boolean {
    if (this === goal) {
      return true;
    }
    if (this.#waitsFor === undefined) {
      return false;
    }
    const { row, mode } = this.#waitsFor;
    return this.#blockers(row, mode).some((blocker) => blocker.#leadsTo(goal));
  }
}

function strength(mode: Mode): number {
  return ["share", "write", "exclusive"].indexOf(mode);
}

function conflict(held: Mode, wanted: Mode): boolean {
  return held === "exclusive" || wanted === "exclusive" || (held === "write" && wanted === "write");
}
