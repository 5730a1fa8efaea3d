import { adviceOf, codeOf } from "../../../lib/errors.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Reacted } from "../react.js";

export const DONE: EventOutcome = { kind: "done" };

/** Of an event that has no follower. */
export function outcomeOf(reacted: Reacted): EventOutcome {
  switch (reacted.kind) {
    case "unknown":
      return { kind: "retry", code: "PAYMENT_NOT_FOUND", reason: "there is no such payment." };
    case "refused":
      return { kind: "reject", code: codeOf(reacted.error) ?? "INTERNAL", reason: adviceOf(reacted.error) };
    default:
      return DONE;
  }
}
