import { derivedId } from "../../../lib/domain/ids.js";
import { adviceOf, codeOf } from "../../../lib/errors.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import { walletDebitRequested } from "../../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../../contracts/wallet_refund_requested.js";
import type { Considered } from "../domain/consider.js";
import { debitRequestedEvent, refundRequestedEvent } from "../events.js";
import type { Reacted } from "../react.js";

export const DONE: EventOutcome = { kind: "done" };

/** Of an event that has no follower but what mends a disagreement with the wallet. */
export function outcomeOf(
  reacted: Reacted,
  { messageId, repeat = false }: Pick<ReceivedEvent<unknown>, "messageId" | "repeat">,
): EventOutcome {
  switch (reacted.kind) {
    case "unknown":
    case "refused":
      return failureOf(reacted);
    case "illegal":
      return { kind: "done", followers: followersOf(reacted, { messageId, repeat }) };
    default:
      return DONE;
  }
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

/** Under ids that follow from the event's, which comes again if this process dies before they are sent. */
function followersOf(
  { payment, remedy }: Extract<Reacted, { kind: "illegal" }>,
  { messageId, repeat }: { readonly messageId: string; readonly repeat: boolean },
) {
  // What the wallet has said once more is not asked a third time: it would be an endless talk with a wallet on another database.
  if (remedy === "ask" && !repeat) {
    const sending = { messageId: derivedId(messageId, walletDebitRequested.name), repeat: true };
    return [debitRequestedEvent(payment, sending)];
  }
  if (remedy === "refund") {
    const sending = { messageId: derivedId(messageId, walletRefundRequested.name) };
    return [refundRequestedEvent({ ...payment, reason: "payment_declined" }, sending)];
  }
  return [];
}
