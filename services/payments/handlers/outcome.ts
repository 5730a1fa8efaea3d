import { adviceOf, codeOf } from "../../../lib/errors.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Considered } from "../domain/consider.js";
import type { Reacted } from "../react.js";

export const DONE: EventOutcome = { kind: "done" };

/** Of an event that has no follower. */
export function outcomeOf(reacted: Reacted): EventOutcome {
  return reacted.kind === "unknown" || reacted.kind === "refused" ? failureOf(reacted) : DONE;
}

/** Of an event that comes to nothing. */
export function failureOf(failed: Extract<Considered, { kind: "unknown" | "refused" }>) {
  if (failed.kind === "unknown") {
    // The payment may still be on its way.
    return { kind: "retry", code: "PAYMENT_NOT_FOUND", reason: "there is no such payment." } as const;
  }
  const { error } = failed;
  return { kind: "reject", code: codeOf(error) ?? "INTERNAL", reason: adviceOf(error) } as const;
}
