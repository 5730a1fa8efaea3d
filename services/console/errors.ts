import { defineErrors, EXIT } from "../../lib/errors.js";

const { failed, usage } = EXIT;

export class ConsoleError extends defineErrors({
  /** Nobody has signed in, or it is too long ago. */
  CONSOLE_SIGNED_OUT: { verdict: "reject", http: 401, exit: failed },
  /** The password is none of the console's. */
  CONSOLE_PASSWORD_REFUSED: { verdict: "reject", http: 403, exit: failed },
  /** Whoever asks may look and not act. */
  CONSOLE_READ_ONLY: { verdict: "reject", http: 403, exit: failed },
  /** There is nothing of this id. */
  CONSOLE_NOT_FOUND: { verdict: "reject", http: 404, exit: usage },
  /** A month has too many rows to be read while a page waits. */
  CONSOLE_MONTH_LARGE: { verdict: "reject", http: 422, exit: failed },
  /** Somebody does something to the same thing at this moment. */
  CONSOLE_ACTION_RUNNING: { verdict: "retry", http: 409, exit: failed },
  /** The process that did it has ended: how far it got nobody wrote down. */
  CONSOLE_ACTION_LOST: { verdict: "reject", http: 500, exit: failed },
  /** The page is not built. */
  CONSOLE_NOT_BUILT: { verdict: "retry", http: 404, exit: failed },
}) {}

/** @throws ConsoleError CONSOLE_NOT_FOUND @param what with its article and its id, e.g. `payment 5` */
export function known<T>(found: T | undefined, what: string): T {
  if (found === undefined) {
    throw new ConsoleError("CONSOLE_NOT_FOUND", `there is no ${what}.`);
  }
  return found;
}
