import { type Consequence, defineErrors, EXIT } from "./errors.js";

const { failed, usage } = EXIT;
const away: Consequence = { verdict: "outage", http: 503, exit: failed };

/** The codes of lib: what can happen to any module. */
export class CoreError extends defineErrors({
  /** A setting is unknown, malformed or missing. */
  SETTINGS_INVALID: { verdict: "reject", http: 500, exit: usage },
  /** A command's arguments exclude each other, or one is not of its kind. */
  USAGE_INVALID: { verdict: "reject", http: 400, exit: usage },
  /** A command that destroys was not given its --yes. */
  NOT_CONFIRMED: { verdict: "reject", http: 400, exit: usage },
  /** What it is about has not ended. */
  IN_FLIGHT: { verdict: "retry", http: 409, exit: failed },
  /** There is no module of that name, or it was named twice. */
  MODULE_UNKNOWN: { verdict: "reject", http: 500, exit: usage },
  /** A module's manifest breaks a rule: a name that is not its own, or that another module has. */
  MODULE_INVALID: { verdict: "reject", http: 500, exit: usage },

  /** The database has migrations this code does not know and cannot live with. */
  SCHEMA_NEWER: { verdict: "retry", http: 503, exit: failed },
  /** A migration that was applied has since been edited. */
  SCHEMA_CHANGED: { verdict: "retry", http: 503, exit: failed },
  /** The database lacks migrations this code needs. */
  SCHEMA_BEHIND: { verdict: "retry", http: 503, exit: failed },
  /** Somebody changed tables, functions or rights that migrations made. */
  SCHEMA_DRIFT: { verdict: "retry", http: 503, exit: EXIT.mismatch },
  /** The database's encoding is not UTF8: it cannot hold what comes. */
  DATABASE_ENCODING: { verdict: "retry", http: 503, exit: failed },
  /** A role that a migration or a process needs is not in the cluster. */
  ROLE_MISSING: { verdict: "retry", http: 503, exit: failed },

  /** No PostgreSQL answers at the configured address, or one that is just starting or ending. */
  POSTGRES_UNREACHABLE: away,
  /** PostgreSQL refused the user, the password or the database's name, or none was given; or a right lacks. */
  POSTGRES_AUTH: { ...away, byHand: true },
  /** PostgreSQL and we do not agree on TLS, or its certificate is not to be trusted. */
  POSTGRES_TLS: { ...away, byHand: true },
  /** PostgreSQL has run out of connections, disk or memory. */
  POSTGRES_EXHAUSTED: away,
  /** PostgreSQL takes no changes: a standby, or a database set to read-only. */
  POSTGRES_READ_ONLY: away,
  /** Something else than PostgreSQL answers at the configured address. */
  NOT_POSTGRES: { ...away, byHand: true },
  /** No RabbitMQ answers at the configured address. */
  RABBITMQ_UNREACHABLE: away,
  /** RabbitMQ refused the user, the password or the vhost. */
  RABBITMQ_AUTH: { ...away, byHand: true },
  /** RabbitMQ and we do not agree on TLS, or its certificate is not to be trusted. */
  RABBITMQ_TLS: { ...away, byHand: true },
  /** RabbitMQ has as many connections as the vhost or the user may have. */
  RABBITMQ_EXHAUSTED: away,
  /** RabbitMQ takes no messages: its disk or its memory is low. */
  RABBITMQ_ALARM: away,
  /** Something else than RabbitMQ answers at the configured address. */
  NOT_RABBITMQ: { ...away, byHand: true },
  /** A queue of ours exists with other arguments than ours. */
  QUEUE_MISMATCH: { verdict: "retry", http: 503, exit: failed },

  /** The broker took the message but had no queue for it: one is being redeclared. */
  PUBLISH_UNROUTABLE: { verdict: "retry", http: 503, exit: failed },
  /** The broker refused the message (queue full). */
  PUBLISH_NACKED: away,
  /** No confirm within the time limit: the message may or may not have arrived. */
  PUBLISH_TIMEOUT: away,
  /** The connection went away before the confirm came. */
  PUBLISH_INTERRUPTED: away,

  /** A request does not fit its schema; the problem points at each field. */
  REQUEST_INVALID: { verdict: "reject", http: 400, exit: failed },
  /** No module that runs here has this path. */
  ROUTE_UNKNOWN: { verdict: "reject", http: 404, exit: failed },
  /** The path has no such method; the header Allow names those that it has. */
  METHOD_UNSUPPORTED: { verdict: "reject", http: 405, exit: failed },
  /** A body of a content type, with a Content-Encoding or in a charset that the endpoint does not take. */
  CONTENT_TYPE_UNSUPPORTED: { verdict: "reject", http: 415, exit: failed },
  /** The Host header names none of ours: a foreign page whose name points here, or a proxy that HTTP_ALLOWED_HOSTS lacks. */
  HOST_REFUSED: { verdict: "reject", http: 421, exit: failed },
  /** A page of another origin asks, and HTTP_CORS_ORIGINS does not name it. */
  ORIGIN_REFUSED: { verdict: "reject", http: 403, exit: failed },
  /** No API key, or none that HTTP_API_KEYS has. */
  API_KEY_REFUSED: { verdict: "reject", http: 401, exit: failed },
  /** A webhook lacks one of the three headers of its signature. */
  SIGNATURE_MISSING: { verdict: "reject", http: 401, exit: failed },
  /** One of them is not of its form. */
  SIGNATURE_MALFORMED: { verdict: "reject", http: 401, exit: failed },
  /** It was signed too long ago, or by a clock that is ahead. */
  SIGNATURE_EXPIRED: { verdict: "reject", http: 401, exit: failed },
  /** No key of its source signed this id, time and body. */
  SIGNATURE_INVALID: { verdict: "reject", http: 401, exit: failed },
  /** The same request, signature and all, was taken before. */
  SIGNATURE_REPLAYED: { verdict: "reject", http: 401, exit: failed },
  /** The caller has used up what it may ask in a stretch of time. */
  RATE_LIMITED: { verdict: "retry", http: 429, exit: failed },
  /** More requests are in flight, or wait for a connection, than this process can serve soon. */
  OVERLOADED: { verdict: "retry", http: 503, exit: failed },
  /** A server that a request needs is away, or the process is ending. */
  UNAVAILABLE: { verdict: "retry", http: 503, exit: failed },
  /** The Idempotency-Key is missing where one is required, came twice, or is not a key. */
  IDEMPOTENCY_KEY_INVALID: { verdict: "reject", http: 400, exit: failed },
  /** Another request with this key has not ended. */
  IDEMPOTENCY_IN_FLIGHT: { verdict: "retry", http: 409, exit: failed },
  /** The key was used for another request. */
  IDEMPOTENCY_MISMATCH: { verdict: "reject", http: 422, exit: failed },
  /** What If-Match names is not what is there. */
  PRECONDITION_FAILED: { verdict: "reject", http: 412, exit: failed },
  /** A card number, or a field that is there for one. We take none. */
  CARD_DATA_REFUSED: { verdict: "reject", http: 422, exit: failed },

  /** Body over the size limit. */
  MESSAGE_TOO_LARGE: { verdict: "reject", http: 413, exit: failed },
  /** Body is not of a shape that its consumer knows. */
  MESSAGE_MALFORMED: { verdict: "reject", http: 400, exit: failed },
  /** An event is of a schema version that this code does not know. */
  MESSAGE_VERSION_UNKNOWN: { verdict: "reject", http: 400, exit: failed },
  /** A message was tried as often as the retry ladder allows. */
  ATTEMPTS_EXHAUSTED: { verdict: "reject", http: 500, exit: failed },

  /** An amount is no decimal number, has decimals that its currency lacks, or is out of bounds. */
  AMOUNT_INVALID: { verdict: "reject", http: 422, exit: usage },
  /** A currency is no active code of ISO 4217. */
  CURRENCY_UNKNOWN: { verdict: "reject", http: 422, exit: usage },

  /** No letter in the dead-letter queue has this id. */
  DEAD_LETTER_UNKNOWN: { verdict: "reject", http: 404, exit: usage },
  /** There is no such queue of dead letters, or nothing tells which queue a letter came from. */
  DEAD_LETTER_QUEUE_UNKNOWN: { verdict: "reject", http: 404, exit: usage },
  /** Which dead letters are meant was not said, or said twice. */
  DEAD_LETTER_SELECTION: { verdict: "reject", http: 400, exit: usage },
  /** Another command has the dead letters in its hands. */
  DEAD_LETTERS_BUSY: { verdict: "retry", http: 409, exit: failed },

  /** Another program listens on a port that we want. */
  PORT_TAKEN: { verdict: "retry", http: 500, exit: failed },
  /** A program that is needed is not installed, or too old. */
  TOOL_MISSING: { verdict: "retry", http: 500, exit: failed },
  /** Not all of a command's output could be written. */
  OUTPUT_LOST: { verdict: "retry", http: 500, exit: failed },
  /** The user pressed Ctrl-C. */
  INTERRUPTED: { verdict: "retry", http: 503, exit: EXIT.interrupted },
  /** Anything nobody foresaw: a bug, please report it. */
  INTERNAL: { verdict: "retry", http: 500, exit: failed },
}) {}

export type CoreCode = keyof typeof CoreError.table;
