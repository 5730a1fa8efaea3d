import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import type { Queryable } from "../../lib/postgres/pool.js";
import { eventually } from "./eventually.js";

/**
 * A test that leaves a process, a pool or a connection behind fails: it takes connections from the tests after it, and what the
 * code under test forgets to close looks just like that.
 */

/** What is closed shows as open for a moment. */
const GRACE_MS = 5_000;

const children = new Map<ChildProcess, string>();

/** In the environment of every process that tests start: whose it is. */
export const CHILD_MARK = "PAYMENTS_TEST_CHILD";

export function trackChild(child: ChildProcess, what: string): void {
  children.set(child, what);
  child.once("exit", () => children.delete(child));
}

/** Processes that were started since the last file's end and that still run. */
export function runningChildren(): string[] {
  return [...children].map(([{ pid }, what]) => `process ${pid}: ${what}`);
}

/** Sockets of this process to one of the ports. */
export function openSockets(ports: Readonly<Record<number, string>>): Socket[] {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles: () => unknown[] };
  return handles
    .call(process)
    .filter((handle): handle is Socket => handle instanceof Socket)
    .filter(({ remotePort, destroyed }) => !destroyed && remotePort !== undefined && remotePort in ports);
}

/**
 * Ends and forgets what a file has left behind: the next file of this process may have its stack, and is not to be blamed for it.
 *
 * @param ports those of the connections
 */
export function endLeft(ports: Readonly<Record<number, string>>): void {
  for (const child of children.keys()) {
    child.kill("SIGKILL");
  }
  children.clear();
  for (const socket of openSockets(ports)) {
    socket.destroy();
  }
}

/** Sessions of clients in databases whose name is like `database`, other than ours. */
export async function openSessions(db: Queryable, database: string): Promise<string[]> {
  const { rows } = await db.query<{ session: string }>(
    `SELECT format('PostgreSQL session %s of %s in %s: %s, %s', pid, application_name, datname, state, left(query, 80)) AS session
     FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND datname LIKE $1 AND pid <> pg_backend_pid() ORDER BY backend_start`,
    [database],
  );
  return rows.map(({ session }) => session);
}

/** @throws Error naming all that is still there after a moment. */
export async function requireNothingLeft(look: () => Promise<string[]> | string[]): Promise<void> {
  let left: string[] = [];
  await eventually(
    "nothing left",
    async () => {
      left = await look();
      return left.length === 0;
    },
    { withinMs: GRACE_MS },
  ).catch(() => {
    throw new Error(`left behind:\n${left.join("\n")}`);
  });
}
