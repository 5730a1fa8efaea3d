import { CoreError } from "../core_errors.js";
import { codeOf, messageOf, PlatformError } from "../errors.js";
import { placesText, placeText } from "../places.js";
import { askPostgres, LOCAL_STACK, type Meaning, meaningOfErrno, type Place } from "../probe.js";
import { isTlsCode, type TlsMode } from "../tls.js";

/** Where it was tried, and as whom. */
export interface Target extends Place {
  readonly user: string;
  readonly database: string;
  readonly tls: TlsMode;
}

/** Nobody had to ask for it before the server did: some let us in without. */
export function noPassword(target: Target): PlatformError {
  const message = `PostgreSQL at ${placesText(target)} asks ${target.user} for a password, and none is set.`;
  const hint = `Set POSTGRES_PASSWORD (an admin's: POSTGRES_ADMIN_PASSWORD, a backup's: POSTGRES_BACKUP_PASSWORD, the services': POSTGRES_APP_PASSWORD); ${LOCAL_STACK}.`;
  return new CoreError("POSTGRES_AUTH", message, { hint });
}

/**
 * Why there is no connection, and what to do about it. Told by SQLSTATE, errno or TLS code; where the driver has none, by what
 * the port answers.
 */
export async function connectionError(error: unknown, target: Target): Promise<PlatformError> {
  if (error instanceof PlatformError) {
    return error;
  }
  const code = codeOf(error) ?? "";
  return explain(error, target) ?? say(await meaningOfSilence(target, code), error, code);
}

/** The same for an error of any statement; undefined where it says nothing of the server but of the statement. */
export function explain(error: unknown, target: Target): PlatformError | undefined {
  const code = codeOf(error) ?? "";
  const meaning = meaningOfState(code, target) ?? meaningOfNetwork(code, target);
  return meaning && say(meaning, error, code);
}

function say({ code, what, hint }: Meaning, cause: unknown, by: string): PlatformError {
  const text = messageOf(cause);
  const told = by === "" || text.includes(by) ? text : `${text}; ${by}`;
  return new CoreError(code, `${what} (${told}).`, { hint, cause });
}

/** The connection was cut or never answered, and the driver cannot say more. */
async function meaningOfSilence({ host, port, tls }: Target, code: string): Promise<Meaning> {
  const where = placeText({ host, port });
  const onSocket = host.startsWith("/");
  if (code === "ENOENT" && onSocket) {
    const hint = `Start PostgreSQL, or check POSTGRES_HOST, the folder of its socket, and POSTGRES_PORT, which names the file; ${LOCAL_STACK}.`;
    return { code: "POSTGRES_UNREACHABLE", what: `nobody listens at ${host}/.s.PGSQL.${port}`, hint };
  }
  const answer = onSocket ? "silent" : await askPostgres({ host, port });
  if (answer === "other") {
    const hint = `Check POSTGRES_HOST and POSTGRES_PORT; ${LOCAL_STACK}.`;
    return { code: "NOT_POSTGRES", what: `what answers at ${where} is not PostgreSQL`, hint };
  }
  if (answer === "plain" && code === "" && tls !== "disable") {
    const what = `PostgreSQL at ${where} has no TLS, which POSTGRES_SSLMODE=${tls} asks for`;
    const hint = "Turn ssl on there, or set POSTGRES_SSLMODE=disable where the network is yours.";
    return { code: "POSTGRES_TLS", what, hint };
  }
  const what =
    answer === "silent"
      ? `${where} takes connections but does not answer as PostgreSQL`
      : `the connection to PostgreSQL at ${where} was lost`;
  const hint =
    "Check POSTGRES_HOST and POSTGRES_PORT, and the log of the server, or of the proxy or pooler before it.";
  return { code: "POSTGRES_UNREACHABLE", what, hint };
}

/** First match wins; a key of two characters is a class of SQLSTATEs. */
function meaningOfState(code: string, target: Target): Meaning | undefined {
  const { user, database, tls } = target;
  const where = placesText(target);
  const server = `PostgreSQL at ${where}`;
  const tlsHint = tls === "disable" ? " If it wants TLS: POSTGRES_SSLMODE=require." : "";
  const meanings: Readonly<Record<string, Meaning>> = {
    "28P01": {
      code: "POSTGRES_AUTH",
      what: `${server} refused ${user} and its password`,
      hint: `Check POSTGRES_USER and POSTGRES_PASSWORD, and that db/roles.sql made the role; ${LOCAL_STACK}.`,
    },
    "28": {
      code: "POSTGRES_AUTH",
      what: `${server} does not let ${user} into database ${database}`,
      hint: `Check that the role is there and may log in, as db/roles.sql makes it, and that pg_hba.conf lets it in from here.${tlsHint}`,
    },
    "3D000": {
      code: "POSTGRES_AUTH",
      what: `${server} has no database ${database}`,
      hint: `Check POSTGRES_DB, or make the database: scripts/stack.sh up, elsewhere db/roles.sql; ${LOCAL_STACK}.`,
    },
    "42501": {
      code: "POSTGRES_AUTH",
      what: `${user} lacks a right on database ${database}`,
      hint: "Rights come from db/roles.sql and payments migrate up; payments doctor names those that lack.",
    },
    "25006": {
      code: "POSTGRES_READ_ONLY",
      what: `${server} takes no changes to ${database}`,
      hint: "A standby: name it and the primary in POSTGRES_HOST. Else default_transaction_read_only is on: see payments doctor.",
    },
    "53300": {
      code: "POSTGRES_EXHAUSTED",
      what: `${server} has no connection left for ${user}`,
      hint: "End idle sessions (pg_stat_activity), run fewer workers, or raise max_connections or the limit of the role or database.",
    },
    "53100": {
      code: "POSTGRES_EXHAUSTED",
      what: `the disk of ${server} is full`,
      hint: "Make room there; what waits goes on by itself.",
    },
    "53400": {
      code: "POSTGRES_EXHAUSTED",
      what: `${server} refused what goes beyond a limit in its configuration`,
      hint: "The limit is in brackets: raise it for the role or database, or let less run at once.",
    },
    "53": {
      code: "POSTGRES_EXHAUSTED",
      what: `${server} has run out of memory or of another resource`,
      hint: "What it lacks is in brackets: give it more, or let less run at once.",
    },
    "57P03": {
      code: "POSTGRES_UNREACHABLE",
      what: `${server} takes no connections just now`,
      hint: "It is starting, ending or recovering: try again in a moment, and see its log.",
    },
    "57P": {
      code: "POSTGRES_UNREACHABLE",
      what: `${server} ended the connection`,
      hint: "The cause is in brackets: a stop, a restart, a timeout, or somebody who ended the session. Try again.",
    },
    "08P01": {
      code: "POSTGRES_UNREACHABLE",
      what: `what stands at ${where} before PostgreSQL refused ${user} on database ${database}`,
      hint: "A pooler gives this one code for a wrong password, an unknown user or database, and a limit: see docs/pgbouncer.md and its log.",
    },
    "08": {
      code: "POSTGRES_UNREACHABLE",
      what: `${server} refused the connection, or lost it`,
      hint: "See its log, and that of a pooler or proxy before it.",
    },
  };
  if (code.length !== 5) {
    return undefined;
  }
  const key = [code, code.slice(0, 3), code.slice(0, 2)].find((each) => Object.hasOwn(meanings, each));
  return key === undefined ? undefined : meanings[key];
}

function meaningOfNetwork(code: string, target: Target): Meaning | undefined {
  if (!isTlsCode(code)) {
    return meaningOfErrno(code, "PostgreSQL", target);
  }
  const what = `no TLS that can be trusted with PostgreSQL at ${placesText(target)}`;
  const hint = target.tls.startsWith("verify")
    ? "Name the authority of its certificate in POSTGRES_SSLROOTCERT, and the host as the certificate does (verify-ca trusts any name of that authority's, require anybody)."
    : "See its log: its TLS may be of an older kind than Node.js takes.";
  return { code: "POSTGRES_TLS", what, hint };
}
