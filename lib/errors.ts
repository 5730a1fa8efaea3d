/**
 * Every error that is raised on purpose has a stable code: operators grep for it, the dead-letter header carries it, tests assert
 * it. The text may be improved at any time, the code may not.
 */

/** Exit codes of every command. `incomplete`: what could be compared agrees, and some could not. */
export const EXIT = { ok: 0, failed: 1, usage: 2, mismatch: 3, incomplete: 4, interrupted: 130 } as const;

/**
 * What to do about a failure: `outage` (a server is away: wait, nothing was wrong with the work), `retry` (try the same work
 * again later) or `reject` (it will fail again: keep it aside).
 */
export type Verdict = "outage" | "retry" | "reject";

/** What follows from an error, whoever meets it: a message's handler, an HTTP route, a command. */
export interface Consequence {
  readonly verdict: Verdict;
  /** An outage that only a person can end: a setting here or there is wrong. A process that is just starting does not wait for it. */
  readonly byHand?: true;
  readonly http: number;
  readonly exit: (typeof EXIT)[keyof typeof EXIT];
}

export type ErrorTable = Readonly<Record<string, Consequence>>;

/** An error with a stable code, a sentence on what happened to what, and a sentence on what to do. */
export class PlatformError extends Error {
  readonly code: string;
  readonly consequence: Consequence;
  readonly hint: string | undefined;
  readonly field: Field | undefined;
  readonly members: Readonly<Record<string, string>>;

  protected constructor(code: string, consequence: Consequence, message: string, options: ErrorDetails) {
    super(message, { cause: options.cause });
    this.name = "PlatformError";
    this.code = code;
    this.consequence = consequence;
    this.hint = options.hint;
    this.field = options.field;
    this.members = options.members ?? {};
  }

  get exitCode(): number {
    return this.consequence.exit;
  }

  /** One line for a person: `CODE: what happened. What to do.` */
  override toString(): string {
    return `${this.code}: ${this.message}${this.hint ? ` ${this.hint}` : ""}`;
  }
}

/** Where in a request something is. */
export interface Field {
  readonly in: "body" | "query" | "path" | "header";
  /** JSON pointer (RFC 6901) with `#` before it, e.g. `#/amount`. */
  readonly pointer: string;
}

/** Where what came is not to be read. */
export const WHOLE_BODY: Field = { in: "body", pointer: "#" };

export interface ErrorDetails {
  readonly hint?: string | undefined;
  /** What of the request is refused; an HTTP answer points at it. */
  readonly field?: Field | undefined;
  /** For a caller's program: members that an HTTP problem has besides its own. */
  readonly members?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A class of errors that takes just the codes of `table`; `table` is what the module's manifest lists. */
export function defineErrors<const Table extends ErrorTable>(table: Table) {
  return class extends PlatformError {
    static readonly table: Table = table;

    constructor(code: keyof Table & string, message: string, details: ErrorDetails = {}) {
      super(code, table[code] as Consequence, message, details);
    }
  };
}

/** The `code` of anything thrown: ours, an SQLSTATE, a socket code such as ECONNREFUSED, or an AMQP reply code. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) {
    return undefined;
  }
  const { code } = error as { code: unknown };
  return typeof code === "string" || typeof code === "number" ? String(code) : undefined;
}

/** The message of anything thrown, on one line: some drivers put newlines or an AggregateError there. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return messageOf(error.errors[0]);
  }
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
