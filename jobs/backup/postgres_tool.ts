import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { CoreError } from "../../lib/core_errors.js";
import type { PlatformError } from "../../lib/errors.js";
import { connect, createPool, type Pool } from "../../lib/postgres/pool.js";
import type { BackupSettings } from "../settings.js";

/** Where a database is and who asks: what a pool and PostgreSQL's own programs both need. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Servers of our own, on loopback, have none. */
  readonly tls?: Pick<BackupSettings, "POSTGRES_SSLMODE" | "POSTGRES_SSLROOTCERT">;
}

export function addressOf(settings: BackupSettings, role: "backup" | "admin" | "loader"): Address {
  const { POSTGRES_HOST: host, POSTGRES_PORT: port, POSTGRES_DB: database } = settings;
  const [user, password] = {
    backup: [settings.POSTGRES_BACKUP_USER, settings.POSTGRES_BACKUP_PASSWORD],
    admin: [settings.POSTGRES_ADMIN_USER, settings.POSTGRES_ADMIN_PASSWORD],
    loader: [settings.POSTGRES_USER, settings.POSTGRES_PASSWORD],
  }[role] as [string, string];
  const { POSTGRES_SSLMODE, POSTGRES_SSLROOTCERT } = settings;
  return { host, port, user, password, database, tls: { POSTGRES_SSLMODE, POSTGRES_SSLROOTCERT } };
}

/** libpq would look into the home directory, and checks certificates wherever it finds a file, which `require` does not ask for. */
function authorities(tls: Address["tls"]): string {
  if (tls?.POSTGRES_SSLMODE !== "verify-full") return "/dev/null/none";
  return tls.POSTGRES_SSLROOTCERT || "/etc/ssl/certs/ca-certificates.crt";
}

/** What a role or a database may be set to, and what would then end, hinder or falsify a backup or a restore. */
const PINNED = {
  default_transaction_read_only: "off",
  default_transaction_isolation: "read committed",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
  client_encoding: "UTF8",
  role: "none",
  default_tablespace: "",
} as const;

/** For PostgreSQL's own programs: as a connection is asked for it outdoes the settings of roles and databases. */
const pinnedOptions = Object.entries(PINNED)
  .map(([name, value]) => `-c ${name}=${value.replaceAll(" ", "\\ ")}`)
  .join(" ");

/** Runs `work` with a pool on `address`, which is closed in any case. */
export async function withPool<T>(
  settings: BackupSettings,
  address: Address,
  max: number,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const pool = createPool(
    {
      ...settings,
      POSTGRES_HOST: address.host,
      POSTGRES_PORT: address.port,
      POSTGRES_USER: address.user,
      POSTGRES_PASSWORD: address.password,
      POSTGRES_SSLMODE: "disable",
      ...address.tls,
    },
    { database: address.database, max, applicationName: "payments-backup", session: PINNED },
  );
  try {
    // Who cannot connect at all hears where, and as whom, it was tried.
    (await connect(pool)).release();
    return await work(pool);
  } finally {
    await pool.end();
  }
}

export interface RunOptions {
  readonly address?: Address;
  /** More for PGOPTIONS. */
  readonly options?: string;
  readonly stdin?: string;
  readonly signal?: AbortSignal | undefined;
  /** Numeric ids of the account to run as, for root only. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Runs a program to its end. It gets none of our environment but what finds programs and keys: a shell's PGHOST must not
 * steer it. It is ended when we die, however we die.
 *
 * @returns its standard output.
 * @throws Error with the line of its standard error that says most; INTERRUPTED when `signal` fires.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { address, stdin, signal, owner } = options;
  if (signal?.aborted) throw interrupted();
  const drop = owner ? [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, "--clear-groups"] : [];
  const child = spawn("setpriv", [...drop, "--pdeathsig=TERM", "--", program, ...args], {
    cwd: "/",
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"] ?? homedir(),
      ...(process.env["GNUPGHOME"] === undefined ? {} : { GNUPGHOME: process.env["GNUPGHOME"] }),
      LC_ALL: "C",
      ...(address && {
        PGHOST: address.host,
        PGPORT: String(address.port),
        PGUSER: address.user,
        PGPASSWORD: address.password,
        PGDATABASE: address.database,
        PGCONNECT_TIMEOUT: "10",
        PGAPPNAME: "payments-backup",
        PGOPTIONS: `${pinnedOptions} ${options.options ?? ""}`,
        PGSSLMODE: address.tls?.POSTGRES_SSLMODE ?? "disable",
        PGSSLROOTCERT: authorities(address.tls),
        // pg_dump takes a role's own encoding otherwise, which may lack letters that the data has.
        PGCLIENTENCODING: "UTF8",
      }),
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  // Only its end is of interest, however much a program has to say.
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-65_536)));
  child.stdin.on("error", () => undefined); // it may end before it has read all
  child.stdin.end(stdin ?? "");
  const end = () => child.kill("SIGTERM");
  signal?.addEventListener("abort", end, { once: true });
  try {
    const code = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status, by) => resolve(status ?? by));
    });
    if (signal?.aborted) throw interrupted();
    if (code === 0) return stdout;
    throw new Error(`${program.split("/").at(-1)} ended with ${code}: ${tellingLine(stderr)}`);
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

function interrupted(): PlatformError {
  return new CoreError("INTERRUPTED", "stopped before it was done; nothing of it is left.");
}

/** The first line that names an error, else the last one there is. */
export function tellingLine(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => /error|fatal|failed/i.test(line)) ?? lines.at(-1) ?? "no reason given";
}

/**
 * A program of PostgreSQL that is not older than `major`: the one of that very version where Debian puts it, else that of PATH.
 *
 * @throws PlatformError TOOL_MISSING
 */
export async function postgresTool(name: string, major: number): Promise<string> {
  const own = `/usr/lib/postgresql/${major}/bin/${name}`;
  if (existsSync(own)) return own;
  const version = await run(name, ["--version"]).catch(() => "");
  const found = Number(/(\d+)(?:\.\d+|\w+)*\s*(?:\(|$)/.exec(version.trim())?.[1] ?? 0);
  if (found >= major) return name;
  const what =
    version === "" ? `${name} is missing` : `${name} is of version ${found}, the server of ${major}`;
  throw new CoreError("TOOL_MISSING", `${what}.`, { hint: `Install: postgresql-client-${major}.` });
}

/** The major version of the server behind a pool. */
export async function serverMajor(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ major: number }>(
    "SELECT current_setting('server_version_num')::integer / 10000 AS major",
  );
  return rows[0]?.major ?? 0;
}
