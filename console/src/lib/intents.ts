import { post } from "./api.js";
import type { ApiError } from "./problem.js";

/** What somebody wants done, before the reason is asked for: the same path and body are the same intent. */
export interface Intent {
  readonly path: string;
  readonly body: object;
}

export interface Sent {
  readonly body: object & { readonly reason: string };
  readonly key: string;
}

/** By intent, what was sent and has no answer yet: of this tab, whichever dialog asks. */
const unanswered = new Map<string, Sent>();
const nameOf = ({ path, body }: Intent) => `${path} ${JSON.stringify(body)}`;

/** What was sent of it and has no answer; undefined: nothing of it is in the dark. */
export const unansweredOf = (intent: Intent): Sent | undefined => unanswered.get(nameOf(intent));

/**
 * Has it done once. What was sent and got no answer is sent again as it was, under its key, until the server has said what became of
 * it; only then do other words make it another action.
 *
 * @param details what goes with the intent's body
 * @param again what is to be sent again, though its answer may have come since
 * @throws ApiError
 */
export async function sendOnce<T>(
  intent: Intent,
  details: { readonly reason: string; readonly expected?: number },
  again = unansweredOf(intent),
): Promise<T> {
  const name = nameOf(intent);
  const sent = again ?? { body: { ...intent.body, ...details }, key: randomKey() };
  unanswered.set(name, sent);
  try {
    const answer = await post<T>(intent.path, sent.body, sent.key);
    unanswered.delete(name);
    return answer;
  } catch (error) {
    // Of what was sent before, a refusal of this time says nothing.
    if (again === undefined && !(error as ApiError).mayBeDone) {
      unanswered.delete(name);
    }
    throw error;
  }
}

/** 128 random bits. crypto.randomUUID is only there on https and on loopback. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
