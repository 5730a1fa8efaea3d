import { CoreError } from "../core_errors.js";
import type { PlatformError } from "../errors.js";
import type { Answer, SentAnswer, StreamedAnswer } from "./answer.js";
import type { RateLimit } from "./rate_limit.js";

type AnyAnswer = Answer | SentAnswer | StreamedAnswer;

/** What a request takes of a limit, and how a refusal says so. */
export interface Ask {
  readonly key: string;
  readonly cost: number;
  /** Why it is refused now, as a sentence. */
  readonly refused: string;
  /** Why it would never be allowed, as a sentence; left out where the cost is one. */
  readonly tooMuch?: string;
}

interface LimitedRequest {
  readonly raw: { failure: { readonly code: string; readonly error: unknown } | undefined };
  send(refusal: PlatformError): SentAnswer;
}

/**
 * Handles a request as far as its limit allows; either answer says what is left.
 *
 * @param limit undefined: there is none
 * @throws CoreError MESSAGE_TOO_LARGE for more than the limit ever allows
 */
export async function withinLimit<Allowed extends AnyAnswer>(
  limit: Pick<RateLimit, "take" | "quota"> | undefined,
  request: LimitedRequest,
  { key, cost, refused, tooMuch = refused }: Ask,
  handle: () => Promise<Allowed>,
): Promise<Allowed | SentAnswer> {
  if (limit === undefined || cost === 0) {
    return handle();
  }
  if (cost > limit.quota) {
    throw new CoreError("MESSAGE_TOO_LARGE", tooMuch);
  }
  const { allowed, headers } = await limit.take(key, cost);
  if (allowed) {
    return withHeaders(await handle(), headers);
  }
  const refusal = new CoreError("RATE_LIMITED", refused);
  request.raw.failure = { code: refusal.code, error: refusal };
  return withHeaders(request.send(refusal), headers);
}

const withHeaders = <A extends AnyAnswer>(answer: A, headers: Readonly<Record<string, string>>): A => ({
  ...answer,
  headers: { ...answer.headers, ...headers },
});
