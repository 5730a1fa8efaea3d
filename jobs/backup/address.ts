import { placesOf } from "../../lib/places.js";
import { type Address, addressOf, type Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";

export { type Address, addressOf };

/** Where servers of our own listen. */
export const LOOPBACK = { host: "127.0.0.1", tls: "disable", rootCert: "" } as const;

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

const APPLICATION = "payments-backup";

/** Runs `work` with a pool whose sessions nobody's settings can hinder; it is closed in any case. */
export function withSessions<T>(address: Address, max: number, work: (pool: Pool) => Promise<T>): Promise<T> {
  return withPool(address, { max, applicationName: APPLICATION, session: PINNED }, work);
}

export function withSession<T>(address: Address, work: (pool: Pool) => Promise<T>): Promise<T> {
  return withSessions(address, 1, work);
}

/** As a connection is asked for it outdoes the settings of roles and databases. */
const pinnedOptions = Object.entries(PINNED)
  .map(([name, value]) => `-c ${name}=${value.replaceAll(" ", "\\ ")}`)
  .join(" ");

/** The same sessions for PostgreSQL's own programs. @param options more for PGOPTIONS. */
export function libpqEnvironment(address: Address, options = ""): object {
  const places = placesOf(address);
  return {
    PGHOST: places.map(({ host }) => host).join(),
    PGPORT: places.map(({ port }) => port).join(),
    // Of several the primary.
    ...(places.length > 1 && { PGTARGETSESSIONATTRS: "read-write" }),
    PGUSER: address.user,
    PGPASSWORD: address.password,
    PGDATABASE: address.database,
    PGCONNECT_TIMEOUT: 10,
    PGAPPNAME: APPLICATION,
    PGOPTIONS: `${pinnedOptions} ${options}`,
    PGSSLMODE: address.tls,
    PGSSLROOTCERT: authorities(address),
    // pg_dump takes a role's own encoding otherwise, which may lack letters that the data has.
    PGCLIENTENCODING: "UTF8",
  };
}

/** libpq would look into the home directory, and checks certificates wherever it finds a file, which `require` does not ask for. */
function authorities({ tls, rootCert }: Address): string {
  if (!tls.startsWith("verify")) {
    return "/dev/null/none";
  }
  return rootCert || "/etc/ssl/certs/ca-certificates.crt";
}
