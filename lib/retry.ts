import { adviceOf, codeOf, PlatformError, type Verdict } from "./errors.js";
import type { Logger } from "./observability/log.js";
import { fullJitterMs, pause } from "./timing.js";

/** Of codes that are not ours. First match wins; a key of two characters is a class of SQLSTATEs. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  // The server is away, going or coming.
  ECONNREFUSED: "outage",
  ECONNRESET: "outage",
  EPIPE: "outage",
  ETIMEDOUT: "outage",
  ECONNABORTED: "outage",
  EHOSTUNREACH: "outage",
  ENETUNREACH: "outage",
  ENETDOWN: "outage",
  ENOTFOUND: "outage",
  EAI_AGAIN: "outage",
  "08": "outage", // connection exceptions
  "28": "outage", // as POSTGRES_AUTH, met by a single query
  "3D000": "outage", // the same: no such database, as while a restored one takes its place
  "53": "outage", // out of disk, memory or connections: passes when someone makes room
  "57P01": "outage", // admin shutdown
  "57P02": "outage", // crash shutdown
  "57P03": "outage", // cannot connect now
  "57P05": "outage", // idle session ended
  "25006": "outage", // read-only transaction: a standby not promoted yet

  // Lost against somebody else.
  "40": "retry", // serialization failure, deadlock
  "55P03": "retry", // lock not available
  "57014": "retry", // cancelled
  "58": "retry", // I/O error

  // The work itself is wrong.
  "22": "reject", // data exception
  "23": "reject", // constraint violation
  "42": "reject", // no such table, no privilege, bad SQL
};

/**
 * What to do about anything thrown: ours says so itself, others go by their code, never by their text. An error nobody
 * foresaw is worth another try: it costs little, and the retry ladder ends.
 */
export function verdictOf(error: unknown): Verdict {
  if (error instanceof PlatformError) {
    return error.consequence.verdict;
  }
  const code = codeOf(error);
  if (code === undefined) {
    return "retry";
  }
  const own = Object.hasOwn(VERDICTS, code) ? VERDICTS[code] : undefined;
  const sqlClass = code.slice(0, 2);
  const byClass = code.length === 5 && Object.hasOwn(VERDICTS, sqlClass) ? VERDICTS[sqlClass] : undefined;
  return own ?? byClass ?? "retry";
}

/** Outages that only a person can end: a setting here or there is wrong. */
export function isIncurable(error: unknown): boolean {
  return error instanceof PlatformError && error.consequence.byHand === true;
}

/**
 * Whether a process that is just starting should wait: for a server that is away, not for a setting to become right. Once it
 * has been let in, it waits for both.
 */
export function waitingMends(error: unknown): boolean {
  return verdictOf(error) === "outage" && !isIncurable(error);
}

const START_BACKOFF = { baseMs: 250, capMs: 5_000 };

/** Does what a start needs, again until it succeeds or `signal` fires. @param what is waited for. @throws what waiting does not mend. */
export async function untilDone(
  what: string,
  work: () => Promise<void>,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!waitingMends(error)) {
        throw error;
      }
      logger.warn({ code: codeOf(error) }, `waiting for ${what}: ${adviceOf(error)}`);
      await pause(fullJitterMs(attempt, START_BACKOFF), signal);
    }
  }
}
