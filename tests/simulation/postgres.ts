import { Writable } from "node:stream";
import { Database } from "./database.js";
import { NOTHING, type Result } from "./meaning.js";
import type { Actor, Scheduler } from "./scheduler.js";
import { execute, summary, UnknownStatement } from "./sql.js";
import { connectionLost, sqlError, Transaction } from "./store.js";

type Query = string | { readonly text: string; readonly values?: readonly unknown[] };

/** A PostgreSQL server in memory. It may crash, and connections may be lost at any moment, also with a reply on its way. */
export class Postgres {
  readonly db = new Database();
  readonly #scheduler: Scheduler;
  readonly #onCommit: (db: Database) => void;
  readonly #connections = new Set<Connection>();
  up = true;
  /** The next statement that commits is carried out, and its reply is lost. */
  losesReply = false;

  /** @param onCommit looks at what has been committed; what it throws ends the schedule. */
  constructor(scheduler: Scheduler, onCommit: (db: Database) => void) {
    this.#scheduler = scheduler;
    this.#onCommit = onCommit;
  }

  /** In place of a `pg.Pool`. */
  pool(actor: Actor) {
    return {
      options: { host: "simulated", port: 0, user: "simulated" },
      on: () => undefined,
      connect: async () => {
        await this.#scheduler.turn(actor, "connect");
        return this.#connect(actor);
      },
      query: async (query: Query, values?: readonly unknown[]): Promise<Result> => {
        const connection = this.#connect(actor);
        try {
          return await connection.query(query, values);
        } finally {
          connection.release();
        }
      },
    };
  }

  crash(): void {
    this.up = false;
    for (const connection of this.#connections) {
      connection.cut();
    }
  }

  restart(): void {
    this.up = true;
  }

  connectionsOf(actor?: Actor): Connection[] {
    return [...this.#connections].filter(({ owner }) => actor === undefined || owner === actor);
  }

  #connect(actor: Actor): Connection {
    if (!this.up) {
      throw sqlError("ECONNREFUSED", "connect ECONNREFUSED");
    }
    const connection: Connection = new Connection(this, this.#scheduler, actor, () => {
      this.#connections.delete(connection);
    });
    this.#connections.add(connection);
    return connection;
  }

  /** @throws when the reply is lost. */
  committed(): void {
    try {
      this.#onCommit(this.db);
    } catch (error) {
      this.#scheduler.failure ??= error as Error;
    }
    if (!this.losesReply) {
      return;
    }
    this.losesReply = false;
    this.#scheduler.note("  committed, and the reply lost");
    throw connectionLost();
  }
}

/** In place of a `pg.Client`. */
class Connection {
  readonly owner: Actor;
  readonly #server: Postgres;
  readonly #scheduler: Scheduler;
  readonly #gone: () => void;
  #transaction: Transaction | undefined;
  /** Begun by BEGIN; otherwise each statement commits by itself. */
  #explicit = false;
  /** An error has spoilt the transaction: nothing goes but ROLLBACK. */
  #spoilt = false;
  #cut = false;

  constructor(server: Postgres, scheduler: Scheduler, owner: Actor, gone: () => void) {
    this.#server = server;
    this.#scheduler = scheduler;
    this.owner = owner;
    this.#gone = gone;
  }

  get inTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** Ends the backend: what is not committed is gone. */
  cut(): void {
    this.#cut = true;
    this.#transaction?.rollback();
    this.#transaction = undefined;
    this.#gone();
  }

  release(): void {
    if (this.#transaction !== undefined) {
      this.#scheduler.failure ??= new Error("a connection went back to its pool in mid-transaction");
    }
    this.#gone();
  }

  query(query: Query, values?: readonly unknown[]): Promise<Result>;
  query(query: Writable): Writable;
  query(query: Query | Writable, values?: readonly unknown[]): Promise<Result> | Writable {
    if (query instanceof Writable) {
      return this.#copy((query as Writable & { text: string }).text);
    }
    const [text, parameters] = typeof query === "string" ? [query, values] : [query.text, query.values];
    return this.#run(text, parameters ?? []);
  }

  async #run(text: string, values: readonly unknown[]): Promise<Result> {
    // What these two do is only seen in what comes next.
    if (text !== "BEGIN" && !text.startsWith("SET LOCAL")) {
      await this.#scheduler.turn(this.owner, summary(text, values));
    }
    if (this.#cut) {
      throw connectionLost();
    }
    if (text === "BEGIN") {
      this.#explicit = true;
      this.#transaction = this.#newTransaction();
    } else if (text === "COMMIT" || text === "ROLLBACK") {
      this.#end(text === "COMMIT" && !this.#spoilt);
    } else {
      return this.#execute(text, values);
    }
    return NOTHING;
  }

  async #execute(text: string, values: readonly unknown[]): Promise<Result> {
    if (this.#spoilt) {
      throw sqlError("25P02", "current transaction is aborted");
    }
    this.#transaction ??= this.#newTransaction();
    try {
      const result = await execute(this.#server.db, this.#transaction, text, values);
      if (!this.#explicit) {
        this.#end(true);
      }
      return result;
    } catch (error) {
      if (error instanceof UnknownStatement) {
        this.#scheduler.failure ??= error;
      }
      if (this.#explicit) {
        this.#spoilt = true;
      } else {
        this.#end(false);
      }
      throw error;
    }
  }

  #newTransaction(): Transaction {
    return new Transaction(() => this.#scheduler.turn(this.owner, "the row is free"));
  }

  #end(commit: boolean): void {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    this.#explicit = false;
    this.#spoilt = false;
    const wrote = transaction?.wrote;
    if (commit) {
      transaction?.commit();
    } else {
      transaction?.rollback();
    }
    if (!commit || !wrote) {
      return;
    }
    try {
      this.#server.committed();
    } catch (error) {
      this.cut();
      throw error;
    }
  }

  /** Takes a stream of which each byte stands for a row. */
  #copy(text: string): Writable {
    const rows: number[] = [];
    const step = async (what: string, values: readonly unknown[] = []) => {
      if (what === text) {
        await this.#run(text, values);
      } else {
        await this.#scheduler.turn(this.owner, what);
      }
      if (this.#cut) {
        throw connectionLost();
      }
    };
    const sink = new Writable({
      highWaterMark: 1,
      write: (buffer: Buffer, _, done) => {
        rows.push(...buffer);
        step(`COPY ${buffer.length} rows`).then(() => done(), done);
      },
      final: (done) => {
        step(text, [rows]).then(() => done(), done);
      },
    });
    return Object.defineProperty(sink, "rowCount", { get: () => rows.length });
  }
}
