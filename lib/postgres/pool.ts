import "./environment.js";

import type { Socket } from "node:net";
import pg from "pg";
import { CoreError } from "../core_errors.js";
import { adviceOf, codeOf, messageOf, PlatformError } from "../errors.js";
import type { Settings } from "../settings/base.js";
import { Dialler } from "./dial.js";
import { noPassword, type Target } from "./refusal.js";
import { pinSession } from "./session.js";

export type Pool = pg.Pool;
export type Client = pg.PoolClient;

export type Queryable = Pick<pg.Pool, "query">;

/** Dates come as `YYYY-MM-DD` text: a JS Date would shift them by the local zone. */
function types(bigints: (text: string) => number | bigint): pg.CustomTypesConfig {
  const overrides = new pg.TypeOverrides();
  overrides.setTypeParser(pg.types.builtins.DATE, (text) => text);
  overrides.setTypeParser(pg.types.builtins.INT8, bigints);
  return overrides;
}

/** The pipeline's bigints stay below 2^53; those of services are money. */
const TYPES = { number: types(Number), bigint: types(BigInt) };

/**
 * Where a database is and who asks: what a pool and PostgreSQL's own programs both need. `host` may be a list (places.ts), of which
 * one is the primary.
 */
export interface Address extends Target {
  readonly password: string;
  /** File with the authorities that `tls` verify-ca and verify-full trust; blank: the system's. */
  readonly rootCert: string;
}

/** Whose name and password the settings have. */
export type SettingsRole = "loader" | "admin" | "backup" | "app";

export interface PoolOptions {
  readonly role?: SettingsRole;
  readonly max?: number;
  readonly database?: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** Settings that its sessions have besides those of session.ts. */
  readonly session?: Readonly<Record<string, string>>;
  /** On this side, for a server that has gone silent; 0, the default: none. */
  readonly queryTimeoutMs?: number;
  /** What a bigint comes as. Default: number. */
  readonly bigints?: "number" | "bigint";
}

type Explainer = Pick<Dialler, "explain" | "stateOf">;
const explainers = new WeakMap<Pool, Explainer>();

/** A connection pool that survives dying sockets. */
export function createPool(at: Settings | Address, options: PoolOptions = {}): Pool {
  const address = "POSTGRES_HOST" in at ? addressOf(at, options.role) : at;
  const target = { ...address, database: options.database ?? address.database };
  const applicationName = options.applicationName ?? "payments";
  const dialler = new Dialler(target);
  const pool = new pg.Pool({
    Client: dialler.Client,
    database: target.database,
    user: target.user,
    password: askedOf(target, address.password),
    max: options.max ?? 4,
    application_name: applicationName,
    // All off by default in the driver: without them a vanished server is waited for without end.
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    onConnect: (client) => dialler.accept(client, () => pinSession(client, applicationName, options.session)),
    types: TYPES[options.bigints ?? "number"],
    query_timeout: options.queryTimeoutMs ?? 0,
  });
  dialler.goOn(pool);
  return harden(pool, dialler);
}

/** Why a pool's work failed and what to do about it, for who reads a log: the server's state, told by code; else what the error says. */
export function reasonOf(pool: Pool, error: unknown): string {
  return adviceOf(explainers.get(pool)?.stateOf(error) ?? error);
}

/** Makes a pool survive its connections. @param explainer of what the driver leaves without a code, and of what the server says. */
export function harden(pool: Pool, explainer: Explainer): Pool {
  // A connection that dies is replaced at the next checkout, and whoever holds it meets the error at its query. But each
  // 'error' without a listener would end the process: the pool hears idle clients only, and passes their errors on.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>;
  // Errors of the server carry an SQLSTATE, those of the socket its code; what has none is the driver saying that the
  // connection ended or never came about. What is ours is of the host that was tried last, and the others may say more.
  pool.query = ((...args: unknown[]) =>
    query(...args).catch(async (error: unknown) => {
      throw codeOf(error) === undefined || error instanceof PlatformError
        ? await explainer.explain(error)
        : error;
    })) as typeof pool.query;
  explainers.set(pool, explainer);
  return pool;
}

/** What the driver calls, as a method of its client, when the server asks for a password. */
function askedOf(target: Target, password: string): () => string {
  return function (this: unknown): string {
    if (password !== "") {
      return password;
    }
    // The driver would leave the connection open, and the process with it.
    (this as { connection: { stream: Socket } }).connection.stream.end();
    throw noPassword(target);
  };
}

/** The settings' database, and one of the roles that they name. */
export function addressOf(settings: Settings, role: SettingsRole = "loader"): Address {
  const [user, password] = {
    loader: [settings.POSTGRES_USER, settings.POSTGRES_PASSWORD] as const,
    admin: [settings.POSTGRES_ADMIN_USER, settings.POSTGRES_ADMIN_PASSWORD] as const,
    app: [settings.POSTGRES_APP_USER, settings.POSTGRES_APP_PASSWORD],
    backup: [settings.POSTGRES_BACKUP_USER, settings.POSTGRES_BACKUP_PASSWORD] as const,
  }[role];
  return {
    host: settings.POSTGRES_HOST,
    port: settings.POSTGRES_PORT,
    database: settings.POSTGRES_DB,
    user,
    password,
    tls: settings.POSTGRES_SSLMODE,
    rootCert: settings.POSTGRES_SSLROOTCERT,
  };
}

/** What a standby says of a change. Such a connection is thrown away, as a pool's query does after any error: another may meet the primary. */
const READ_ONLY = "25006";

/**
 * Runs `work` in a transaction on a connection of its own; commits when it returns, rolls back when it throws.
 *
 * When the connection itself is gone, whatever `work` threw is replaced by POSTGRES_UNREACHABLE: the outcome is unknown, the
 * caller must read the ledger again before it decides.
 */
export async function transaction<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  let unfit = false;
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    // If even ROLLBACK does not come back, the connection is dead, and a driver error without a code is explained.
    const rollback = { text: "ROLLBACK", query_timeout: 5_000 } as pg.QueryConfig;
    await client.query(rollback).catch((cause: Error) => {
      broken = cause;
    });
    if (broken === undefined) {
      unfit = codeOf(error) === READ_ONLY;
      throw error;
    }
    const message = `the connection was lost in mid-transaction: ${messageOf(error)}`;
    throw new CoreError("POSTGRES_UNREACHABLE", message, { cause: error });
  } finally {
    client.release(broken ?? unfit);
  }
}

/** @throws PlatformError POSTGRES_*, saying where it tried, as whom, and what to do: see refusal.ts. */
export async function connect(pool: Pool): Promise<Client> {
  try {
    return await pool.connect();
  } catch (error) {
    throw (await explainers.get(pool)?.explain(error)) ?? error;
  }
}
