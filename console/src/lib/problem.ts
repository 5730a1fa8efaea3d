/** Why a request was refused, or that nobody answered. */
export class ApiError extends Error {
  /** Of HTTP; 0: no answer came. */
  readonly status: number;
  /** Stable, e.g. CONSOLE_ACTION_RUNNING. */
  readonly code: string;
  /** Finds the request in the log; empty when no answer came. */
  readonly traceId: string;
  /** Nobody knows whether what was asked for was done: the answer was lost, or the server failed on its way. */
  readonly mayBeDone: boolean;
  /** By the field's name, what is wrong with it. */
  readonly fields: ReadonlyMap<string, string>;

  constructor(status: number, problem: ProblemBody) {
    super(problem.detail ?? `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? `HTTP_${status}`;
    this.traceId = problem.trace_id ?? "";
    this.mayBeDone = status === 0 || (status >= 500 && problem.code !== "OVERLOADED");
    this.fields = fieldsOf(problem.errors);
  }
}

interface ProblemBody {
  readonly detail?: string;
  readonly code?: string;
  readonly trace_id?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** `#/from` → `from`. */
function fieldsOf(errors: ProblemBody["errors"]): ReadonlyMap<string, string> {
  return new Map((errors ?? []).map(({ pointer, detail }) => [pointer.replace(/^#?\//, ""), detail]));
}

/** Of an answer that is no success. What stands before the server (a proxy) refuses in words of its own. */
export async function refusalOf(response: Response): Promise<ApiError> {
  const problem: unknown = await response.json().catch(() => undefined);
  return new ApiError(response.status, typeof problem === "object" && problem !== null ? problem : {});
}

/** Nobody answered: the server, or the way to it, is away. */
export function unreachable(): ApiError {
  return new ApiError(0, { code: "UNREACHABLE", detail: "The console's server does not answer." });
}
