import type { Readable } from "node:stream";
import type { z } from "zod";
import type { PlatformError } from "../errors.js";
import { PROBLEM_TYPE, problemOf, problemText } from "./problem.js";

/** A status and its body; `headers` beside it where there are any. */
export interface Answer<Body = unknown> {
  readonly status: number;
  readonly body: Body;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer as it goes out, its content type among the headers. */
export interface SentAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** An answer that is made while it goes out, its content type among the headers; its schema is for the page of the API alone. */
export interface StreamedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: Readable;
}

/** The header of an answer to something that was done before. */
export const replayed = (repeat: boolean): Readonly<Record<string, string>> =>
  repeat ? { "idempotent-replayed": "true" } : {};

const JSON_TYPE = "application/json; charset=utf-8";

/**
 * Makes the text of an answer by the schema of its status.
 *
 * @throws Error when the schemas have no such status, or the body does not fit: our bug, 500.
 */
export function sentAnswer(answers: Readonly<Record<number, z.ZodType>>, answer: Answer): SentAnswer {
  const { status, body, headers } = answer;
  const schema = answers[status];
  if (schema === undefined) {
    throw new Error(`the endpoint declares no answer ${status}`);
  }
  // Not safeEncode, which looks at all twice: no answer has a codec.
  const { success, data, error } = schema.safeParse(body);
  if (!success) {
    throw new Error(`the answer ${status} does not fit its schema`, { cause: error });
  }
  const text = data === undefined ? "" : JSON.stringify(data);
  return { status, headers: { ...headers, "content-type": JSON_TYPE }, text };
}

/** A refusal as it goes out. */
export function sentProblem(error: PlatformError, traceId: string): SentAnswer {
  const problem = problemOf(error, traceId);
  return { status: problem.status, headers: { "content-type": PROBLEM_TYPE }, text: problemText(problem) };
}
