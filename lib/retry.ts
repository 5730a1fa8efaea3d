import { codeOf } from "./errors.js";

/**
 * What to do about a failure: `outage` (a server is away: wait, nothing was wrong with the work), `retry` (try the same work
 * again later) or `reject` (it will fail again: keep it aside). Decided by code, never by message text.
 */
export type Verdict = "outage" | "retry" | "reject";

/** First match wins; a key of two characters is a class of SQLSTATEs. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  // The server is away, going or coming.
  POSTGRES_UNREACHABLE: "outage",
  POSTGRES_EXHAUSTED: "outage",
  POSTGRES_READ_ONLY: "outage",
  RABBITMQ_UNREACHABLE: "outage",
  RABBITMQ_EXHAUSTED: "outage",
  RABBITMQ_ALARM: "outage",
  // It did let us in, and nothing is wrong with the work: a password is being changed, or an operator will have to.
  POSTGRES_AUTH: "outage",
  POSTGRES_TLS: "outage",
  NOT_POSTGRES: "outage",
  RABBITMQ_AUTH: "outage",
  RABBITMQ_TLS: "outage",
  NOT_RABBITMQ: "outage",
  PUBLISH_INTERRUPTED: "outage",
  PUBLISH_TIMEOUT: "outage",
  PUBLISH_NACKED: "outage",
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
  PUBLISH_UNROUTABLE: "retry", // a queue is being redeclared
  RUN_ELSEWHERE: "retry", // a worker of its database may take it

  // The work itself is wrong.
  "22": "reject", // data exception
  "23": "reject", // constraint violation
  "42": "reject", // no such table, no privilege, bad SQL
  CHUNK_UNKNOWN: "reject",
  CHUNK_COUNT_MISMATCH: "reject",
  RUN_UNKNOWN: "reject",
  MESSAGE_MALFORMED: "reject",
  MESSAGE_TOO_LARGE: "reject",
  SPEC_INVALID: "reject",
  LEAF_CHANGED: "reject",
  NOT_SEEDED: "reject",
};

const INCURABLE = new Set([
  "POSTGRES_AUTH",
  "POSTGRES_TLS",
  "NOT_POSTGRES",
  "RABBITMQ_AUTH",
  "RABBITMQ_TLS",
  "NOT_RABBITMQ",
]);

/** Outages that only a hand can end: a setting here or there is wrong. */
export function isIncurable(error: unknown): boolean {
  return INCURABLE.has(codeOf(error) ?? "");
}

/**
 * Whether a process that is just starting should wait: for a server that is away, not for a setting to become right. Once it
 * has been let in, it waits for both.
 */
export function waitingMends(error: unknown): boolean {
  return verdictOf(error) === "outage" && !isIncurable(error);
}

/** An error nobody foresaw is worth another try: it costs little, and the retry ladder ends. */
export function verdictOf(error: unknown): Verdict {
  const code = codeOf(error);
  if (code === undefined) return "retry";
  const own = Object.hasOwn(VERDICTS, code) ? VERDICTS[code] : undefined;
  const sqlClass = code.slice(0, 2);
  const byClass = code.length === 5 && Object.hasOwn(VERDICTS, sqlClass) ? VERDICTS[sqlClass] : undefined;
  return own ?? byClass ?? "retry";
}
