import type { StatusCategory } from "./normalised.js";

/** What of an event its payment's state depends on. */
export interface StateEvent {
  readonly status: StatusCategory;
  /** An earlier status of the payment that this event takes back. */
  readonly undoes: StatusCategory | null;
  /** In the main unit; null where it does not say. */
  readonly amount: string | null;
  /** By the provider; null where it does not say. */
  readonly occurredAt: Date | null;
}

/** No provider promises an order of arrival, so the gravest of what was told holds. */
const RANK: Readonly<Record<StatusCategory, number>> = {
  CHARGEBACK: 5,
  REFUNDED: 4,
  APPROVED: 3,
  DECLINED: 2,
  FAILED: 2,
  PENDING: 1,
  UNPROCESSED: 0,
};

/**
 * The state of one payment, by all of its events in whatever order they came: the highest rank of those that no later event took
 * back (a capture that failed, a chargeback that was won), between equals the latest by the provider's time.
 *
 * @returns UNPROCESSED where there is no event that tells one.
 */
export function currentState(events: readonly StateEvent[]): StatusCategory {
  const standing = events.filter((event) => !events.some((other) => takesBack(other, event)));
  // All were taken back: what the last one says is all that is known.
  const considered = standing.length > 0 ? standing : events;
  let best: StateEvent | undefined;
  for (const event of considered) {
    const higher = RANK[event.status] - (best === undefined ? -1 : RANK[best.status]);
    if (higher > 0 || (higher === 0 && timeOf(event) >= timeOf(best))) {
      best = event;
    }
  }
  return best?.status ?? "UNPROCESSED";
}

/**
 * Also itself, where it says what it takes back: a dispute that was won is no chargeback any more. What does not say when is of now.
 * A refund that failed takes back refunds of its amount alone: others of the payment went well.
 */
function takesBack(later: StateEvent, event: StateEvent): boolean {
  return (
    later.undoes === event.status &&
    timeOf(event) <= (later.occurredAt?.getTime() ?? Number.POSITIVE_INFINITY) &&
    (later.undoes !== "REFUNDED" || mayBeEqual(later.amount, event.amount))
  );
}

const mayBeEqual = (one: string | null, other: string | null): boolean =>
  one === null || other === null || one === other;

function timeOf(event: StateEvent | undefined): number {
  return event?.occurredAt?.getTime() ?? 0;
}
