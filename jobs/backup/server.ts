import { once } from "node:events";
import { chownSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreError } from "../../lib/core_errors.js";
import { messageOf } from "../../lib/errors.js";
import { firstErrorLine, type Owner, start } from "../../lib/process/run.js";
import { isIncurable } from "../../lib/retry.js";
import { type Address, LOOPBACK, withSession } from "./address.js";
import { execute } from "./postgres_tool.js";

/**
 * The account that a server runs as, and whose its files are; undefined: ours, because PostgreSQL refuses to run as root only.
 *
 * @throws PlatformError TOOL_MISSING when we are root and there is no account called postgres.
 */
export async function serverOwner(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const entry = await execute("getent", ["passwd", "postgres"]).catch((cause: unknown) => {
    throw new CoreError("TOOL_MISSING", "there is no account postgres for a server to run as.", { cause });
  });
  const [, , uid = 0, gid = 0] = entry.split(":").map(Number);
  return { uid, gid };
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** How a server listens that is for one login on loopback, and what asks whether it does. */
export function listensOn(address: Address) {
  return {
    ready: () => withSession(address, (pool) => pool.query("SELECT")),
    settings: {
      port: String(address.port),
      listen_addresses: LOOPBACK.host,
      unix_socket_directories: "",
      logging_collector: "off",
    },
  };
}

export interface ServerOptions {
  readonly postgres: string;
  readonly data: string;
  readonly log: string;
  readonly owner: Owner | undefined;
  readonly settings: Readonly<Record<string, string>>;
  /** Asks until it resolves. */
  readonly ready: () => Promise<unknown>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a PostgreSQL server of our own for the length of `work`; it ends with us, however we end.
 *
 * @throws Error with the line of its log that says most, when it does not get ready.
 */
export async function withServer<T>(options: ServerOptions, work: () => Promise<T>): Promise<T> {
  const { postgres, data, log, owner, settings, ready, signal } = options;
  const file = openSync(log, "a", 0o600);
  if (owner) {
    chownSync(log, owner.uid, owner.gid);
  }
  const given = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = start([postgres, "-D", data, ...given], {
    env: { LC_ALL: "C" },
    stdio: ["ignore", file, file],
    owner,
    // A fast stop; Ctrl-C is for us, the server is ended in order below.
    deathSignal: "INT",
    detached: true,
  });
  let end: string | undefined;
  // That it could not be started at all is an event too, and must not end us.
  const exited = once(server, "exit")
    .then(() => "", messageOf)
    .then((reason) => {
      end = reason;
    });
  try {
    while (!(await isReady(ready))) {
      if (end !== undefined) {
        throw new Error(`the server did not start: ${end || serverError(await readFile(log, "utf8"))}`);
      }
      if (signal?.aborted) {
        throw new CoreError("INTERRUPTED", "stopped before the server was ready.");
      }
      await sleep(100);
    }
    return await work();
  } finally {
    server.kill("SIGINT");
    await exited;
  }
}

/** A server that knows us not will not learn it by being asked again. */
async function isReady(ready: ServerOptions["ready"]): Promise<boolean> {
  try {
    await ready();
    return true;
  } catch (error) {
    if (isIncurable(error)) {
      throw error;
    }
    return false;
  }
}

/** Why it ended, without the time and process id before it; not what it told us when we asked too early. */
function serverError(log: string): string {
  const fatal = log
    .split("\n")
    .findLast((line) => /FATAL|PANIC/.test(line) && !line.includes("the database system is"));
  return messageOf((fatal ?? firstErrorLine(log)).replace(/^.*?(FATAL|PANIC|ERROR):\s*/, ""));
}
