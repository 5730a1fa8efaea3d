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
  const names = [url?.pathname.slice(1), url?.username, url?.password].map((part) => decoded(part ?? ""));
  const [database, user, password] = names;
  const complete = database && user !== undefined && password !== undefined;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || !complete || !isTlsMode(tls)) {
    throw new CoreError("SETTINGS_INVALID", `${setting}: it is no address of a PostgreSQL database.`, {
      hint: `It looks like postgres://user:password@host:5432/database?sslmode=${TLS_MODES.join("|")}; a % in a name or the password is written %25.`,
    });
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port || 5_432),
    ...{ database, user, password },
    tls,
    rootCert: url.searchParams.get("sslrootcert") ?? "",
  };
}

/** undefined: it has a % that begins no escape. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const isTlsMode = (text: string): text is TlsMode => (TLS_MODES as readonly string[]).includes(text);
