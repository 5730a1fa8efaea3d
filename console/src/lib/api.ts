import { type ApiError, refusalOf, unreachable } from "./problem.js";

const TIMEOUT_MS = 20_000;
const BASE = "/console/api/";

interface Call {
  readonly body?: object;
  /** Names the intent: a repetition with the same key does nothing twice. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/** Told of each refusal: the session may have ended. */
let refused: (error: ApiError) => void = () => undefined;
export function onRefusal(listener: (error: ApiError) => void): void {
  refused = listener;
}

/**
 * @param path under /console/api, with its query
 * @throws ApiError when it is refused, or nobody answers; AbortError when `signal` fires
 */
export const get = <T>(path: string, signal?: AbortSignal) =>
  call<T>("GET", path, signal === undefined ? {} : { signal });

/** @see get */
export const post = <T>(path: string, body: object, key?: string) =>
  call<T>("POST", path, key === undefined ? { body } : { body, key });

/** @see get */
export const remove = <T>(path: string) => call<T>("DELETE", path, {});

async function call<T>(method: string, path: string, { body, key, signal }: Call): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  if (key !== undefined) {
    headers["Idempotency-Key"] = key;
  }
  const init: RequestInit = {
    method,
    headers,
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  };
  let response: Response;
  try {
    response = await fetch(BASE + path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  } catch {
    signal?.throwIfAborted();
    throw unreachable();
  }
  if (!response.ok) {
    const error = await refusalOf(response);
    refused(error);
    throw error;
  }
  try {
    return (await response.json()) as T;
  } catch {
    signal?.throwIfAborted();
    throw unreachable();
  }
}

/** `{ state: "OPEN", cursor: undefined }` → `?state=OPEN`; what is empty is left out. */
export function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given as [string, string][])}`;
}
