import { STATUS_CODES } from "node:http";
import { codeOf, PlatformError } from "../errors.js";
import { verdictOf } from "../retry.js";
import { type FieldError, SchemaMismatch } from "./validation.js";

export const PROBLEM_TYPE = "application/problem+json";

/** An error as RFC 9457 describes it, with what a caller's program needs to decide on. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly trace_id: string;
  /** The same request may succeed later. */
  readonly retryable: boolean;
  /** What is wrong, each as a JSON pointer into the body, the query or the path's parameters. */
  readonly errors?: readonly FieldError[];
}

const MALFORMED = (detail: string) => ({ status: 400, code: "MESSAGE_MALFORMED", detail });
/** What fastify refuses by itself, by its codes. Its own texts repeat what was sent. */
const REFUSALS: Readonly<Record<string, { status: number; code: string; detail: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: "CONTENT_TYPE_UNSUPPORTED",
    detail: "The endpoint takes no body of this content type.",
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: "MESSAGE_TOO_LARGE",
    detail: "The body is larger than the endpoint takes.",
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: MALFORMED("The body is not as long as its Content-Length says."),
  FST_ERR_BAD_URL: MALFORMED("The path is not a valid URL path."),
  FST_ERR_MAX_PARAM_LENGTH: MALFORMED("A part of the path is too long."),
};

/** Lost against somebody else: a lock, a deadlock, a serialization failure, the time that a statement may take. */
const LOST_RACE: ReadonlySet<string> = new Set(["55P03", "40P01", "40001", "57014"]);

/** The problem that answers for anything thrown. What nobody foresaw is 500 and tells nothing of its text. */
export function problemOf(error: unknown, traceId: string): Problem {
  if (error instanceof SchemaMismatch) {
    const detail = "The request does not fit its schema.";
    return { ...problem({ status: 400, code: "REQUEST_INVALID", detail, traceId }), errors: error.fields };
  }
  // Of what is away the text names hosts and users, which are not the caller's business.
  if (error instanceof PlatformError && (error.consequence.http < 500 || error.code === "OVERLOADED")) {
    const { code, message, hint, consequence, members } = error;
    const detail = hint === undefined ? message : `${message} ${hint}`;
    const retryable = consequence.verdict !== "reject";
    const answer = { ...members, ...problem({ status: consequence.http, code, detail, traceId, retryable }) };
    return error.field === undefined ? answer : { ...answer, errors: [{ ...error.field, detail: message }] };
  }
  const refusal = REFUSALS[codeOf(error) ?? ""];
  if (refusal !== undefined) {
    return problem({ ...refusal, traceId });
  }
  const retryable = true;
  if (LOST_RACE.has(codeOf(error) ?? "")) {
    const detail = "Another request held what this one needs for too long. Try again.";
    return problem({ status: 503, code: "BUSY", detail, traceId, retryable });
  }
  const away = error instanceof PlatformError && error.consequence.http === 503;
  if (away || verdictOf(error) === "outage") {
    const detail = "A server that this needs is away. Try again later.";
    return problem({ status: 503, code: "UNAVAILABLE", detail, traceId, retryable });
  }
  const detail = `Something went wrong; the log tells what, under ${traceId}.`;
  return problem({ status: 500, code: "INTERNAL", detail, traceId, retryable });
}

export function problem(answer: {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly traceId: string;
  /** The same request may succeed later. */
  readonly retryable?: boolean;
}): Problem {
  const { status, code, detail, traceId, retryable = false } = answer;
  const type = `urn:payments:problem:${code.toLowerCase()}`;
  return { type, title: STATUS_CODES[status] ?? "Error", status, detail, code, trace_id: traceId, retryable };
}

/** The bytes that go out. */
export const problemText = (answer: Problem) => `${JSON.stringify(answer)}\n`;

/** Seconds after which a caller may try again; what refuses for longer says so itself. */
export function retryAfterOf({ status, retryable }: Problem): string | undefined {
  return retryable && [409, 429, 503].includes(status) ? "1" : undefined;
}
