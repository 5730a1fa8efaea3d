import { CoreError } from "../core_errors.js";
import { TLS_MODES, type TlsMode } from "../tls.js";
import type { Address } from "./pool.js";

/**
 * Reads `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=/path`, the address of a database that is not the
 * platform's. Without sslmode there is no TLS, as with POSTGRES_SSLMODE.
 *
 * @param setting its name, for the error, which shows nothing of the text: there is a password in it.
 * @throws CoreError SETTINGS_INVALID
 */
export function addressOfUrl(setting: string, text: string): Address {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const tls = url?.searchParams.get("sslmode") ?? "disable";
  const database = url?.pathname.slice(1) ?? "";
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || database === "" || !isTlsMode(tls)) {
    throw new CoreError("SETTINGS_INVALID", `${setting}: it is no address of a PostgreSQL database.`, {
      hint: `It looks like postgres://user:password@host:5432/database?sslmode=${TLS_MODES.join("|")}.`,
    });
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port || 5_432),
    database: decodeURIComponent(database),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    tls,
    rootCert: url.searchParams.get("sslrootcert") ?? "",
  };
}

const isTlsMode = (text: string): text is TlsMode => (TLS_MODES as readonly string[]).includes(text);
