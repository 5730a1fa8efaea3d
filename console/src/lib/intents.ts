import { post } from "./api.js";
import type { ApiError } from "./problem.js";

/** What somebody wants done, before the reason is asked for: the same path and body are the same intent. */
export interface Intent {
  readonly path: string;
  readonly body: object;
}

interface Sent {
  readonly body: object & { readonly reason: string };
  readonly key: string;
}

/** By intent, what was sent and has no answer yet: of this tab, whichever dialog asks. */
const unanswered = new Map<string, Sent>();
const nameOf = ({ path, body }: Intent) => `${path} ${JSON.stringify(body)}`;

/** The reason under which it was sent without an answer; undefined: nothing of it is in the dark. */
export const unansweredReason = (intent: Intent): string | undefined =>
  unanswered.get(nameOf(intent))?.body.reason;

/**
 * Has it done once. What was sent and got no answer is sent again as it was, under its key, until the server has said what became of
 * it; only then do other words make it another action.
 *
 * @param details what goes with the intent's body
 * @throws ApiError
 */
export async function sendOnce<T>(
  intent: Intent,
  details: { readonly reason: string; readonly expected?: number },
): Promise<T> {
  const name = nameOf(intent);
  const sent = unanswered.get(name) ?? { body: { ...intent.body, ...details }, key: randomKey() };
  try {
    const answer = await post<T>(intent.path, sent.body, sent.key);
    unanswered.delete(name);
    return answer;
  } catch (error) {
    if ((error as ApiError).mayBeDone) {
      unanswered.set(name, sent);
    }
    throw error;
  }
}

/** 128 random bits. crypto.randomUUID is only there on https and on loopback. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
