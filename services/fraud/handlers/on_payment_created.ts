import type { z } from "zod";
import { derivedId } from "../../../lib/domain/ids.js";
import { PlatformError } from "../../../lib/errors.js";
import { eventMessage, type ReceivedEvent } from "../../../lib/messaging/event.js";
import { type Forecast, wouldFail } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { paymentsChecked } from "../../contracts/payments_checked.js";
import type { paymentsCreated } from "../../contracts/payments_created.js";
import { Velocity } from "../domain/velocity.js";
import { judge, type Verdict } from "../domain/verdict.js";

type Created = ReceivedEvent<z.output<typeof paymentsCreated.schema>>;

export interface Checking {
  /** Customers whose payments are all declined. */
  readonly blocked: ReadonlySet<string>;
  readonly velocity: Velocity;
  /** Told of each verdict. */
  readonly observe: (verdict: Verdict) => void;
}

/**
 * Answers each payment with a verdict. Nothing is kept: an event that comes again is checked again, and answered under the same
 * message id. The time of the check is not the same then: it tells when a check was made, and nobody compares answers, since the
 * payment takes the first one.
 */
export async function onPaymentCreated(
  { blocked, velocity, observe }: Checking,
  events: readonly Created[],
): Promise<EventOutcome[]> {
  const checkedAt = new Date().toISOString();
  return events.map((event) => {
    const { id, amount, currency, method, customer_id: customerId, created_at: createdAt } = event.body;
    const tooMany = velocity.isTooMany(customerId, id, createdAt);
    try {
      const verdict = judge({ customerId, amount, currency, method, tooMany }, blocked);
      observe(verdict);
      return answer(event, verdict, checkedAt);
    } catch (error) {
      // An amount that is none of its currency: it never will be.
      if (error instanceof PlatformError) {
        return { kind: "reject", code: error.code, reason: error.message };
      }
      throw error;
    }
  });
}

/** Nothing is kept, so nothing tells whether an event was answered before. */
export async function forecastCreated(_db: Queryable, events: readonly Created[]): Promise<Forecast[]> {
  // Whatever is answered, not counted, and no payment more of its customer's.
  const checking = { blocked: new Set<string>(), velocity: new Velocity(0), observe: () => undefined };
  return (await onPaymentCreated(checking, events)).map((outcome) =>
    outcome.kind === "reject"
      ? wouldFail(outcome.code, outcome.reason)
      : { kind: "would apply", why: "checked anew" },
  );
}

function answer(
  { body, messageId, traceId, repeat }: Created,
  verdict: Verdict,
  checkedAt: string,
): EventOutcome {
  const { status, score, reasons } = verdict;
  const checked = {
    id: body.id,
    trace_id: traceId,
    status,
    reason: status === "APPROVED" ? ("approved" as const) : ("fraud_detected" as const),
    checked_at: checkedAt,
    score,
    reasons: [...reasons],
    customer_id: body.customer_id,
  };
  const follower = eventMessage(paymentsChecked, checked, {
    messageId: derivedId(messageId, paymentsChecked.name),
    traceId,
    repeat: repeat === true,
  });
  return { kind: "done", followers: [follower] };
}
