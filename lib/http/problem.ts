import { STATUS_CODES } from "node:http";
import type { FastifyError } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { adviceOf, codeOf, PlatformError } from "../errors.js";
import { verdictOf } from "../retry.js";

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
  readonly errors?: readonly { readonly in: string; readonly pointer: string; readonly detail: string }[];
}

/** What fastify refuses by itself, by its codes: the caller's mistake, each with a code of ours. */
const REFUSALS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "CONTENT_TYPE_UNSUPPORTED",
  FST_ERR_CTP_BODY_TOO_LARGE: "MESSAGE_TOO_LARGE",
  FST_ERR_CTP_INVALID_JSON_BODY: "MESSAGE_MALFORMED",
  FST_ERR_CTP_EMPTY_JSON_BODY: "MESSAGE_MALFORMED",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "MESSAGE_MALFORMED",
  FST_ERR_BAD_URL: "MESSAGE_MALFORMED",
};

type Facts = Pick<Problem, "status" | "code" | "detail"> & Partial<Pick<Problem, "retryable" | "errors">>;

export function problem(facts: Facts, traceId: string): Problem {
  const { status, code, detail, retryable = false, errors } = facts;
  const type = `urn:payments:problem:${code.toLowerCase()}`;
  const title = STATUS_CODES[status] ?? "Error";
  return { type, title, status, detail, code, trace_id: traceId, retryable, ...(errors && { errors }) };
}

/** The problem that answers for anything thrown. What nobody foresaw is 500 and tells nothing of its text. */
export function problemOf(error: unknown, traceId: string): Problem {
  return problem(factsOf(error, traceId), traceId);
}

function factsOf(error: unknown, traceId: string): Facts {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message }) => ({
      in: error.validationContext ?? "body",
      pointer: `#${instancePath.replace(/\/$/, "")}`,
      detail: message ?? "is not valid",
    }));
    return { status: 400, code: "REQUEST_INVALID", detail: "The request does not fit its schema.", errors };
  }
  if (error instanceof PlatformError && error.consequence.http < 500) {
    const { code, consequence } = error;
    const retryable = consequence.verdict !== "reject";
    return { status: consequence.http, code, detail: adviceOf(error), retryable };
  }
  const code = REFUSALS[codeOf(error) ?? ""];
  const status = (error as Partial<FastifyError>).statusCode ?? 500;
  if (code !== undefined && status < 500) {
    return { status, code, detail: (error as Error).message };
  }
  if (verdictOf(error) === "outage") {
    const detail = "A server that this needs is away. Try again later.";
    return { status: 503, code: "UNAVAILABLE", detail, retryable: true };
  }
  const detail = `Something went wrong; the log tells what, under ${traceId}.`;
  return { status: 500, code: "INTERNAL", detail, retryable: true };
}
