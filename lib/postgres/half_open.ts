import type { Socket } from "node:net";
import type pg from "pg";
import type { Pool } from "./pool.js";
import { loadSql } from "./sql.js";

/** What the driver knows of a connection but does not publish. */
interface Connection {
  readonly processID: number | null;
  /** False while an answer is awaited, undefined before the first one. */
  readonly readyForQuery?: boolean;
  readonly connection: { readonly stream: Socket };
}

function connectionsOf(pool: Pool): Connection[] {
  return [...(pool as unknown as { _clients: Connection[] })._clients];
}

/**
 * Destroys the socket, as the network would. The driver's `end` does not call back whoever waits for a connection that is still being
 * opened (pg 8.23), who would wait for good.
 */
function cut({ connection }: Connection): void {
  connection.stream.destroy();
}

/**
 * Cuts every connection of the pool, those being opened and those between two queries too: for when their other end has stopped
 * answering.
 */
export function cutConnections(pool: Pool): void {
  connectionsOf(pool).forEach(cut);
}

/**
 * Finds single connections that have gone half-open while others of the pool still work: this side waits for the server, no
 * byte has moved for a while, and the server, asked on another connection, is waiting for us or has no such backend. Such a
 * backend is ended, which frees what it holds, and the connection is cut, so that whoever waits on it meets the error.
 *
 * `query_timeout` and `statement_timeout` would not do: a COPY or an index build may take any time, and on a half-open
 * connection the server has nothing to time out.
 */
export class SilenceWatch {
  readonly #pool: Pool;
  readonly #looksAllowed: number;
  #seen = new Map<Connection, { bytes: number; looks: number }>();

  /** @param looksAllowed how many looks in a row may find a connection waiting and silent. */
  constructor(pool: Pool, looksAllowed: number) {
    this.#pool = pool;
    this.#looksAllowed = looksAllowed;
  }

  /**
   * To be called regularly. Counts looks, not time, so that a process that was frozen does not blame its connections.
   *
   * @param ask runs a query, with a limit on its time.
   * @returns how many connections were cut.
   */
  async look(ask: (query: pg.QueryConfig) => Promise<{ rows: unknown[] }>): Promise<number> {
    const silent = this.#silentConnections();
    if (silent.size === 0) {
      return 0;
    }
    const { rows } = await ask({ text: loadSql("end_waiting_backends"), values: [[...silent.keys()]] });
    for (const { pid } of rows as { pid: number }[]) {
      const connection = silent.get(pid);
      if (connection) {
        cut(connection);
      }
    }
    return rows.length;
  }

  #silentConnections(): Map<number, Connection> {
    const before = this.#seen;
    this.#seen = new Map();
    const silent = new Map<number, Connection>();
    for (const connection of connectionsOf(this.#pool)) {
      if (connection.readyForQuery !== false || connection.processID === null) {
        continue;
      }
      const { bytesRead, bytesWritten } = connection.connection.stream;
      const bytes = bytesRead + bytesWritten;
      const last = before.get(connection);
      const looks = last?.bytes === bytes ? last.looks + 1 : 0;
      this.#seen.set(connection, { bytes, looks });
      if (looks >= this.#looksAllowed) {
        silent.set(connection.processID, connection);
      }
    }
    return silent;
  }
}
