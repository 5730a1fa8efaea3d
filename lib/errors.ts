/**
 * Every error the platform raises on purpose, in one table. The code is stable: operators grep for it, the dead-letter
 * header carries it, tests assert it. The text may be improved at any time, the code may not.
 */

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, mismatch: 3, interrupted: 130 } as const;

/** code → exit status of a command that ends with it. */
const EXIT_BY_CODE = {
  /** A setting is unknown, malformed or missing. */
  SETTINGS_INVALID: EXIT.usage,
  /** A run was asked for that cannot exist (rows < 0, from ≥ to, rate outside 0..1, …). */
  SPEC_INVALID: EXIT.usage,
  /** The named run is not in the ledger. */
  RUN_UNKNOWN: EXIT.usage,
  /** A message is of a run of another database, which shares the vhost. */
  RUN_ELSEWHERE: EXIT.failed,
  /** The run has no such chunk or month. */
  CHUNK_UNKNOWN: EXIT.failed,
  /** No letter in the dead-letter queue has this id. */
  DEAD_LETTER_UNKNOWN: EXIT.usage,
  /** Which dead letters are meant was not said, or said twice. */
  DEAD_LETTER_SELECTION: EXIT.usage,
  /** Another command has the dead letters in its hands. */
  DEAD_LETTERS_BUSY: EXIT.failed,
  /** A command that destroys was not given its --yes. */
  NOT_CONFIRMED: EXIT.usage,
  /** A run ended, but not as its spec says. */
  RUN_FAILED: EXIT.failed,
  /** The database has migrations this code does not know. */
  SCHEMA_NEWER: EXIT.failed,
  /** A migration that was applied has since been edited. */
  SCHEMA_CHANGED: EXIT.failed,
  /** The database lacks migrations this code needs. */
  SCHEMA_BEHIND: EXIT.failed,
  /** Somebody changed tables, functions or rights that migrations made. */
  SCHEMA_DRIFT: EXIT.mismatch,
  /** A published month's leaf is not where its run left it, or holds what no run made. */
  LEAF_CHANGED: EXIT.failed,
  /** The database's encoding is not UTF8: it cannot hold what comes. */
  DATABASE_ENCODING: EXIT.failed,
  /** The dimensions (accounts, merchants, terminals) are not there or not those of this code. */
  NOT_SEEDED: EXIT.failed,
  /** No PostgreSQL answers at the configured address, or one that is just starting or ending. */
  POSTGRES_UNREACHABLE: EXIT.failed,
  /** PostgreSQL refused the user, the password or the database's name, or none was given; or a right lacks. */
  POSTGRES_AUTH: EXIT.failed,
  /** PostgreSQL and we do not agree on TLS, or its certificate is not to be trusted. */
  POSTGRES_TLS: EXIT.failed,
  /** PostgreSQL has run out of connections, disk or memory. */
  POSTGRES_EXHAUSTED: EXIT.failed,
  /** PostgreSQL takes no changes: a standby, or a database set to read-only. */
  POSTGRES_READ_ONLY: EXIT.failed,
  /** Something else than PostgreSQL answers at the configured address. */
  NOT_POSTGRES: EXIT.failed,
  /** No RabbitMQ answers at the configured address. */
  RABBITMQ_UNREACHABLE: EXIT.failed,
  /** RabbitMQ refused the user, the password or the vhost. */
  RABBITMQ_AUTH: EXIT.failed,
  /** RabbitMQ and we do not agree on TLS, or its certificate is not to be trusted. */
  RABBITMQ_TLS: EXIT.failed,
  /** RabbitMQ has as many connections as the vhost or the user may have. */
  RABBITMQ_EXHAUSTED: EXIT.failed,
  /** RabbitMQ takes no messages: its disk or its memory is low. */
  RABBITMQ_ALARM: EXIT.failed,
  /** Something else than RabbitMQ answers at the configured address. */
  NOT_RABBITMQ: EXIT.failed,
  /** A queue of ours exists with other arguments than ours. */
  QUEUE_MISMATCH: EXIT.failed,
  /** The broker took the message but had no queue for it. */
  PUBLISH_UNROUTABLE: EXIT.failed,
  /** The broker refused the message (queue full). */
  PUBLISH_NACKED: EXIT.failed,
  /** No confirm within the time limit: the message may or may not have arrived. */
  PUBLISH_TIMEOUT: EXIT.failed,
  /** The connection went away before the confirm came. */
  PUBLISH_INTERRUPTED: EXIT.failed,
  /** Body over the size limit. */
  MESSAGE_TOO_LARGE: EXIT.failed,
  /** Body is neither `stage` nor a JSON object of the known shape. */
  MESSAGE_MALFORMED: EXIT.failed,
  /** A message was tried as often as the retry ladder allows. */
  ATTEMPTS_EXHAUSTED: EXIT.failed,
  /** A chunk's rows do not add up to what was staged. */
  CHUNK_COUNT_MISMATCH: EXIT.failed,
  /** `payments verify` found a difference. */
  VERIFY_MISMATCH: EXIT.mismatch,
  /** `payments doctor` found something that will not work. */
  DOCTOR_FAILED: EXIT.failed,
  /** The bench will not measure here: the disk is too small, the server too careless, the setting none of its. */
  BENCH_REFUSED: EXIT.failed,
  /** What the bench measured did not do what it was to do, so there is no figure. */
  BENCH_FAILED: EXIT.failed,
  /** No backup has this id, or there is none at all. */
  BACKUP_UNKNOWN: EXIT.usage,
  /** Another backup, restore or retention is at work in the same folder. */
  BACKUP_BUSY: EXIT.failed,
  /** A backup could not be made; nothing of it is left. */
  BACKUP_FAILED: EXIT.failed,
  /** A backup's files are not what they were when it was made. */
  BACKUP_DAMAGED: EXIT.mismatch,
  /** An encrypted backup does not open with the key or passphrase given. */
  BACKUP_LOCKED: EXIT.failed,
  /** A restore would overwrite data and was not told so in the required words. */
  RESTORE_REFUSED: EXIT.usage,
  /** A restore could not be done; its target is as it was. */
  RESTORE_FAILED: EXIT.failed,
  /** A restored database is not what the backup's manifest says. */
  RESTORE_MISMATCH: EXIT.mismatch,
  /** A program that is needed is not installed, or too old. */
  TOOL_MISSING: EXIT.failed,
  /** Not all of a command's output could be written. */
  OUTPUT_LOST: EXIT.failed,
  /** The user pressed Ctrl-C. */
  INTERRUPTED: EXIT.interrupted,
  /** Anything nobody foresaw: a bug, please report it. */
  INTERNAL: EXIT.failed,
} as const;

export type ErrorCode = keyof typeof EXIT_BY_CODE;

export const ERROR_CODES = Object.keys(EXIT_BY_CODE) as readonly ErrorCode[];

/** An error with a stable code, a sentence on what happened to what, and a sentence on what to do. */
export class PlatformError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "PlatformError";
    this.code = code;
    this.hint = options.hint;
  }

  get exitCode(): number {
    return EXIT_BY_CODE[this.code];
  }

  /** One line for a person: `CODE: what happened. What to do.` */
  override toString(): string {
    return `${this.code}: ${this.message}${this.hint ? ` ${this.hint}` : ""}`;
  }
}

/** The `code` of anything thrown: ours, an SQLSTATE, a socket code such as ECONNREFUSED, or an AMQP reply code. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  const { code } = error as { code: unknown };
  return typeof code === "string" || typeof code === "number" ? String(code) : undefined;
}

/** The message of anything thrown, on one line: some drivers put newlines or an AggregateError there. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  try {
    const text = error instanceof Error ? error.message || error.name : String(error);
    return text.replaceAll(/\s+/g, " ").trim();
  } catch {
    // Anything can be thrown, also what has no text.
    return Object.prototype.toString.call(error);
  }
}

/** The message of anything thrown, and what to do about it if we know: for those who read it later, on a dead letter. */
export function adviceOf(error: unknown): string {
  const hint = error instanceof PlatformError ? error.hint : undefined;
  return hint === undefined ? messageOf(error) : `${messageOf(error)} ${hint}`;
}
