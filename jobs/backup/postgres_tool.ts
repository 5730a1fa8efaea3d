import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { CoreError } from "../../lib/core_errors.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { type RunOptions, run } from "../../lib/process/run.js";
import { type Address, libpqEnvironment } from "./address.js";

export interface ExecuteOptions extends Pick<RunOptions, "input" | "signal" | "owner"> {
  /** The database that a program of PostgreSQL's is to talk to. */
  readonly address?: Address;
  /** More for PGOPTIONS. */
  readonly options?: string;
}

/**
 * Runs a program to its end. It gets none of our environment but what finds programs and keys: a shell's PGHOST must not
 * steer it.
 *
 * @returns its standard output.
 * @throws Error with the line of its standard error that says most; INTERRUPTED when `signal` fires.
 */
export async function execute(
  program: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<string> {
  const { address, options: pgOptions, ...others } = options;
  const env = {
    HOME: process.env["HOME"] ?? homedir(),
    GNUPGHOME: process.env["GNUPGHOME"],
    LC_ALL: "C",
    ...(address && libpqEnvironment(address, pgOptions)),
  };
  return run([program, ...args], { env, ...others }).catch((error: unknown) => {
    if (!options.signal?.aborted) {
      throw error;
    }
    throw new CoreError("INTERRUPTED", "stopped before it was done; nothing of it is left.");
  });
}

/**
 * A program of PostgreSQL that is not older than `major`: the one of that very version where Debian puts it, else that of PATH.
 *
 * @throws PlatformError TOOL_MISSING
 */
export async function postgresTool(name: string, major: number): Promise<string> {
  const own = `/usr/lib/postgresql/${major}/bin/${name}`;
  if (existsSync(own)) {
    return own;
  }
  const version = await execute(name, ["--version"]).catch(() => "");
  const found = Number(/(\d+)(?:\.\d+|\w+)*\s*(?:\(|$)/.exec(version.trim())?.[1] ?? 0);
  if (found >= major) {
    return name;
  }
  const what =
    version === "" ? `${name} is missing` : `${name} is of version ${found}, the server of ${major}`;
  throw new CoreError("TOOL_MISSING", `${what}.`, { hint: `Install: postgresql-client-${major}.` });
}

/** The major version of a server by its `server_version_num`. */
export const majorOf = ({ serverVersionNum }: { readonly serverVersionNum: number }) =>
  Math.floor(serverVersionNum / 10_000);

/** The major version of the server behind a pool. */
export async function serverMajor(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ major: number }>(
    "SELECT current_setting('server_version_num')::integer / 10000 AS major",
  );
  return rows[0]?.major ?? 0;
}
