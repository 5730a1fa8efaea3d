import { LOCAL_STACK, type Meaning, meaningOfErrno, type Place } from "../probe.js";
import { isTlsCode, type TlsMode } from "../tls.js";

/** Where it was tried, and as whom. */
export interface Target extends Place {
  readonly user: string;
  readonly database: string;
  readonly tls: TlsMode;
}

/** First match wins; a key of two characters is a class of SQLSTATEs. */
export function meaningOfState(code: string, target: Target): Meaning | undefined {
  const { user, database, tls } = target;
  const server = `PostgreSQL at ${target.host}:${target.port}`;
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
      hint: "A standby: name the primary in POSTGRES_HOST. Else default_transaction_read_only is on: see payments doctor.",
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
      what: `what stands at ${target.host}:${target.port} before PostgreSQL refused ${user} on database ${database}`,
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

export function meaningOfNetwork(code: string, target: Target): Meaning | undefined {
  if (!isTlsCode(code)) {
    return meaningOfErrno(code, "PostgreSQL", target);
  }
  return {
    code: "POSTGRES_TLS",
    what: `no TLS that can be trusted with PostgreSQL at ${target.host}:${target.port}`,
    hint:
      target.tls === "verify-full"
        ? "Name the authority of its certificate in POSTGRES_SSLROOTCERT, and the host as the certificate does; POSTGRES_SSLMODE=require trusts any."
        : "See its log: its TLS may be of an older kind than Node.js takes.",
  };
}
