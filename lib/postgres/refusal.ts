import { CoreError } from "../core_errors.js";
import { codeOf, messageOf, PlatformError } from "../errors.js";
import { askPostgres, LOCAL_STACK, type Meaning } from "../probe.js";
import { meaningOfNetwork, meaningOfState, type Target } from "./meaning.js";

export type { Target };

/** Nobody had to ask for it before the server did: some let us in without. */
export function noPassword(target: Target): PlatformError {
  const message = `PostgreSQL at ${target.host}:${target.port} asks ${target.user} for a password, and none is set.`;
  const hint = `Set POSTGRES_PASSWORD (an admin's: POSTGRES_ADMIN_PASSWORD, a backup's: POSTGRES_BACKUP_PASSWORD); ${LOCAL_STACK}.`;
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
async function meaningOfSilence(target: Target, code: string): Promise<Meaning> {
  const where = `${target.host}:${target.port}`;
  if (code === "ENOENT" && target.host.startsWith("/")) {
    return {
      code: "POSTGRES_UNREACHABLE",
      what: `nobody listens at ${target.host}/.s.PGSQL.${target.port}`,
      hint: `Start PostgreSQL, or check POSTGRES_HOST, the folder of its socket, and POSTGRES_PORT, which names the file; ${LOCAL_STACK}.`,
    };
  }
  const answer = target.host.startsWith("/") ? "silent" : await askPostgres(target);
  if (answer === "other") {
    return {
      code: "NOT_POSTGRES",
      what: `what answers at ${where} is not PostgreSQL`,
      hint: `Check POSTGRES_HOST and POSTGRES_PORT; ${LOCAL_STACK}.`,
    };
  }
  if (answer === "plain" && code === "" && target.tls !== "disable") {
    return {
      code: "POSTGRES_TLS",
      what: `PostgreSQL at ${where} has no TLS, which POSTGRES_SSLMODE=${target.tls} asks for`,
      hint: "Turn ssl on there, or set POSTGRES_SSLMODE=disable where the network is yours.",
    };
  }
  return {
    code: "POSTGRES_UNREACHABLE",
    what:
      answer === "silent"
        ? `${where} takes connections but does not answer as PostgreSQL`
        : `the connection to PostgreSQL at ${where} was lost`,
    hint: "Check POSTGRES_HOST and POSTGRES_PORT, and the log of the server, or of the proxy or pooler before it.",
  };
}
