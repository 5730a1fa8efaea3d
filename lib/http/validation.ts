import type { z } from "zod";
import type { Field } from "../errors.js";

/** One thing that is wrong with a request. Neither the value nor more than the beginning of a name is repeated. */
export interface FieldError extends Field {
  readonly detail: string;
}

/** A body of 256 KiB may have 30,000 wrong fields; whoever mends these sees the next ones. */
const MAX_ERRORS = 20;
const MAX_NAME = 64;

/** fastify's names for the parts of a request, and ours. */
const PARTS: Readonly<Record<string, Field["in"]>> = { querystring: "query", params: "path" };

/** A part of a request is not of its shape. */
export class SchemaMismatch extends Error {
  readonly #issues: readonly z.core.$ZodIssue[];
  /** Which part it is, by fastify, which sets it where it is blank. */
  validationContext = "";

  constructor(issues: readonly z.core.$ZodIssue[]) {
    super("the request does not fit its schema");
    this.#issues = issues;
  }

  get fields(): readonly FieldError[] {
    const part = PARTS[this.validationContext] ?? "body";
    return this.#issues
      .flatMap((issue) =>
        issue.code === "unrecognized_keys"
          ? issue.keys.slice(0, MAX_ERRORS).map((key) => ({
              in: part,
              pointer: pointerOf([...issue.path, key]),
              detail: "is not a field of this request",
            }))
          : [{ in: part, pointer: pointerOf(issue.path), detail: issue.message }],
      )
      .slice(0, MAX_ERRORS);
  }
}

/** A JSON pointer (RFC 6901) as a URI fragment, e.g. `#/items/0/amount`. */
function pointerOf(path: readonly PropertyKey[]): string {
  const steps = path.map((step) =>
    String(step).slice(0, MAX_NAME).replaceAll("~", "~0").replaceAll("/", "~1"),
  );
  return ["#", ...steps].join("/");
}

/** How fastify checks a part of a request by its zod schema. */
export function validatorCompiler({ schema }: { schema: z.ZodType }) {
  return (part: unknown) => {
    const { success, data, error } = schema.safeParse(part);
    return success ? { value: data } : { error: new SchemaMismatch(error.issues) };
  };
}
